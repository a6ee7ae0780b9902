output "region" { value = module.pipeline.region }
output "name_prefix" { value = module.pipeline.name_prefix }
output "account_id" { value = module.pipeline.account_id }
output "stream_name" { value = module.pipeline.stream_name }
output "stream_arn" { value = module.pipeline.stream_arn }
output "stream_incarnation" { value = module.pipeline.stream_incarnation }
output "data_bucket" { value = module.pipeline.data_bucket }
output "artifacts_bucket" { value = module.pipeline.artifacts_bucket }
output "tables" { value = module.pipeline.tables }
output "queue_urls" { value = module.pipeline.queue_urls }
output "dlq_urls" { value = module.pipeline.dlq_urls }
output "functions" { value = module.pipeline.functions }
output "kinesis_mapping_uuid" { value = module.pipeline.kinesis_mapping_uuid }
# The engine serves <id>.execute-api.<its address>, a name that resolves nowhere, below a path too.
output "api_endpoint" { value = replace(module.pipeline.api_endpoint, "/^(https?:..)([^.]+)[.]execute-api[.](.+)$/", "$1$3/_aws/execute-api/$2") }
output "metrics_key" { value = module.pipeline.metrics_key }
output "producer_policy_arn" { value = module.pipeline.producer_policy_arn }
output "api_producer_policy_arn" { value = module.pipeline.api_producer_policy_arn }
