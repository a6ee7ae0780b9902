output "region" {
  description = "Region of the pipeline."
  value       = var.region
}

output "name_prefix" {
  description = "First part of the names of all resources."
  value       = var.name_prefix
}

output "account_id" {
  description = "Account of the pipeline."
  value       = var.account_id
}

output "stream_name" {
  description = "Name of the stream that takes events."
  value       = module.stream.name
}

output "stream_arn" {
  description = "ARN of the stream that takes events."
  value       = module.stream.arn
}

output "stream_incarnation" {
  description = "8 hexadecimal digits that change when the stream is created anew; part of every commit's key."
  value       = module.stream.incarnation
}

output "data_bucket" {
  description = "Bucket of raw, quarantined, enriched and archived events."
  value       = module.data_bucket.name
}

output "artifacts_bucket" {
  description = "Bucket of the functions' zips."
  value       = module.artifacts_bucket.name
}

output "tables" {
  description = "Names of the tables, by what they hold."
  value       = { for table, this in module.tables : table => this.name }
}

output "queue_urls" {
  description = "URLs of the queues, by the service they feed; replay feeds enrich, too."
  value       = { for service, this in module.queues : service => this.url }
}

output "dlq_urls" {
  description = "URLs of the dead-letter queues, by the queue whose messages failed."
  value       = { for service, this in module.queues : service => this.dead_letter_url }
}

output "functions" {
  description = "Names of the functions, by service."
  value       = { for service, this in module.functions : service => this.name }
}

output "schedules" {
  description = "Names of the rules that call functions by the clock, by the service called."
  value       = local.schedule_names
}

output "kinesis_mapping_uuid" {
  description = "Id of the mapping that feeds ingest from the stream."
  value       = module.stream_mapping.uuid
}

output "api_endpoint" {
  description = "Address of the HTTP API; requests go to <this>/ingest and <this>/replay, signed for execute-api."
  value       = module.http_api.endpoint
}

output "api_execution_arn" {
  description = "First part of the ARNs of the API's routes: a producer's policy allows execute-api:Invoke on <this>/*/POST/ingest."
  value       = module.http_api.execution_arn
}

output "producer_policy_arn" {
  description = "IAM policy for who puts records on the stream: attach it to the producer's role or user."
  value       = aws_iam_policy.producer["stream"].arn
}

output "api_producer_policy_arn" {
  description = "IAM policy for who sends events to the HTTP API: attach it to the producer's role or user."
  value       = aws_iam_policy.producer["api"].arn
}

output "investigator_policy_arn" {
  description = "IAM policy for who looks with `millrace` and changes nothing: attach it to the person's role."
  value       = aws_iam_policy.operator["investigator"].arn
}

output "operator_policy_arn" {
  description = "IAM policy for who also replays, redrives, repairs and recovers with `millrace`: attach it beside the investigator's."
  value       = aws_iam_policy.operator["operator"].arn
}

output "athena" {
  description = "Database, table and workgroup for queries over the archive; null without the catalog."
  value = one([for this in module.catalog : {
    database  = this.database
    table     = this.table
    workgroup = this.workgroup
  }])
}

output "metrics_key" {
  description = "Key of the deployed metric definitions in the data bucket."
  value       = aws_s3_object.metrics.key
}

output "alarms" {
  description = "Names of the alarms, by what each watches; empty without them."
  value       = merge([for this in module.alarms : this.names]...)
}

output "alarm_topic_arn" {
  description = "ARN of the topic that alarms tell; null without them."
  value       = one(module.alarms[*].topic_arn)
}

output "dashboard" {
  description = "Name of the CloudWatch dashboard; null without it."
  value       = one(module.dashboard[*].name)
}

output "repair_days" {
  description = "Days from its arrival for which a discarded record can be repaired: as long as its duplicates are known."
  value       = var.gate_ttl_days
}
