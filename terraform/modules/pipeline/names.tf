# Names, and the ARNs that follow from them.

data "aws_partition" "current" {}

locals {
  account = {
    id        = var.account_id
    partition = data.aws_partition.current.partition
    region    = var.region
  }

  stream_name      = "${var.name_prefix}-events"
  data_bucket      = "${var.name_prefix}-data-${var.account_id}"
  artifacts_bucket = "${var.name_prefix}-artifacts-${var.account_id}"
  table_names      = { for table in keys(local.tables) : table => "${var.name_prefix}-${table}" }
  queue_names      = { for queue in keys(local.queue_functions) : queue => "${var.name_prefix}-${queue}" }
  function_names   = { for service in keys(local.functions) : service => "${var.name_prefix}-${service}" }
  # Whom the clock calls.
  schedule_names = { for service in ["export", "watch"] : service => "${var.name_prefix}-${service}" }
  # Whom each queue feeds.
  queue_functions = {
    enrich   = "enrich", replay = "enrich", replay_work = "replay", aggregate = "aggregate", archive = "archive",
    failures = "watch"
  }
  # Lambda names the objects of discarded batches itself: aws/lambda/<mapping>/<shard>/...
  discarded_prefix = "aws/lambda/"
  # As long as duplicates are known: a repair after that could count what was sent again.
  discarded_lifecycle = {
    discarded = { prefix = local.discarded_prefix, expiration_days = var.gate_ttl_days, noncurrent_expiration_days = 1 }
  }
  metrics_key = "config/metrics-${filesha256(var.metrics_file)}.toml"

  arn_start          = "arn:${local.account.partition}"
  arn_place          = "${local.account.region}:${local.account.id}"
  stream_arn         = "${local.arn_start}:kinesis:${local.arn_place}:stream/${local.stream_name}"
  data_arn           = "${local.arn_start}:s3:::${local.data_bucket}"
  client_bucket_arns = [for bucket in toset(values(var.export.client_buckets)) : "${local.arn_start}:s3:::${bucket}"]
  table_arns         = { for table, name in local.table_names : table => "${local.arn_start}:dynamodb:${local.arn_place}:table/${name}" }
  queue_arns         = { for queue, name in local.queue_names : queue => "${local.arn_start}:sqs:${local.arn_place}:${name}" }

  dead_letter_arns = { for queue, arn in local.queue_arns : queue => "${arn}-dlq" }

  # URLs by ARN: arn:aws:sqs:REGION:ACCOUNT:NAME.
  replay_targets = {
    for arn in toset(var.replay.target_queue_arns) : arn => format(
      "https://sqs.%s.%s/%s/%s", split(":", arn)[3], data.aws_partition.current.dns_suffix, split(":", arn)[4], split(":", arn)[5]
    )
  }
}
