# What tells people: alarms, and a dashboard with a row for each stage.

locals {
  # Powertools reads it; two stacks of one account have figures of their own.
  metrics_namespace = "Millrace/${var.name_prefix}"

  # How long a commit's message is tried in the stages that a commit must pass.
  tried_for_s = max([
    for name in ["enrich", "aggregate", "archive"] : var.queues[name].visibility_timeout_s * var.queues[name].max_receive_count
  ]...)
}

module "alarms" {
  source = "../alarms"
  count  = var.alarms.enabled ? 1 : 0

  name               = var.name_prefix
  account            = local.account
  metrics_namespace  = local.metrics_namespace
  functions          = local.function_names
  dead_letter_queues = { for queue, name in local.queue_names : queue => "${name}-dlq" }
  thresholds         = var.alarms
  emails             = var.alarm_emails
  actions            = var.alarm_actions
  repository_url     = var.alarms.repository_url
  stream_retention_h = var.stream.retention_h
  tried_for_s        = local.tried_for_s
  enforce_tls        = var.enforce_tls
  kms_key_arn        = var.kms_key_arn
}

module "dashboard" {
  source = "../dashboard"
  count  = var.alarms.enabled ? 1 : 0

  name              = var.name_prefix
  region            = var.region
  metrics_namespace = local.metrics_namespace
  stream_name       = local.stream_name
  functions         = local.function_names
  queues            = local.queue_names
  alarm_arns        = flatten([for alarms in module.alarms : values(alarms.arns)])
}
