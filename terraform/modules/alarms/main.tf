# Alarms, and the topic that they tell. Each names its runbook and the first command to run.
#
# All of them side by side: one for_each over one map, so that none waits for another.

locals {
  # Whatever has no dimension of its own is told apart by the namespace (var.metrics_namespace).
  of_service  = { for service in ["ingest", "export", "replay", "watch"] : service => { service = service } }
  of_function = { for service, name in var.functions : service => { FunctionName = name } }

  defaults = {
    namespace   = ""
    metric      = ""
    dimensions  = {}
    statistic   = "Maximum"
    period_s    = 60
    periods     = 1
    datapoints  = 1
    missing     = "notBreaching"
    expression  = ""
    measures    = {}
    description = ""
    runbook     = ""
    first       = "`millrace status`"
  }

  alarms = {
    for key, alarm in merge(local.on_stream, local.on_queues, local.on_functions, local.on_work) :
    key => merge(local.defaults, alarm)
  }

  actions = concat([aws_sns_topic.this.arn], var.actions)
}

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${each.value.description} Runbook: ${var.repository_url}${each.value.runbook}. First: ${each.value.first}"

  namespace   = each.value.expression == "" ? each.value.namespace : null
  metric_name = each.value.expression == "" ? each.value.metric : null
  dimensions  = each.value.expression == "" ? each.value.dimensions : null
  statistic   = each.value.expression == "" ? each.value.statistic : null
  period      = each.value.expression == "" ? each.value.period_s : null

  dynamic "metric_query" {
    for_each = each.value.measures
    content {
      id = metric_query.key
      metric {
        namespace   = each.value.namespace
        metric_name = metric_query.value
        dimensions  = each.value.dimensions
        stat        = each.value.statistic
        period      = each.value.period_s
      }
    }
  }

  dynamic "metric_query" {
    for_each = each.value.expression == "" ? [] : [each.value.expression]
    content {
      id          = "judged"
      label       = each.key
      expression  = metric_query.value
      return_data = true
    }
  }

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.datapoints
  treat_missing_data  = each.value.missing
  alarm_actions       = local.actions
  ok_actions          = local.actions

  # Where silence is a state of its own, it is told.
  insufficient_data_actions = each.value.missing == "missing" ? local.actions : []
}
