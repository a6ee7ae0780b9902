output "uuid" {
  description = "Id of the mapping."
  value       = aws_lambda_event_source_mapping.this.uuid
}

output "destination_arn" {
  description = "ARN of what is sent each batch given up; null for none."
  value       = one(flatten([for config in aws_lambda_event_source_mapping.this.destination_config : config.on_failure[*].destination_arn]))
}
