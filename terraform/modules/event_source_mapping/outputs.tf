output "uuid" {
  description = "Id of the mapping."
  value       = aws_lambda_event_source_mapping.this.uuid
}
