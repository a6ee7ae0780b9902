# One row a stage, in the order in which events pass; what is wrong, above them.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html

locals {
  of_service  = { for service in keys(var.functions) : service => ["service", service] }
  of_function = { for service, name in var.functions : service => ["FunctionName", name] }

  # A row: widgets by title, each with its lines and statistic; at most four, side by side.
  rows = [
    {
      stage = "stream"
      widgets = {
        "Records in, records refused" = { stat = "Sum", metrics = [
          ["AWS/Kinesis", "IncomingRecords", "StreamName", var.stream_name],
          ["AWS/Kinesis", "WriteProvisionedThroughputExceeded", "StreamName", var.stream_name],
        ] }
        "Bytes in" = { stat = "Sum", metrics = [["AWS/Kinesis", "IncomingBytes", "StreamName", var.stream_name]] }
        "Behind, in ms" = { stat = "Maximum", metrics = [
          concat(["AWS/Lambda", "IteratorAge"], local.of_function.ingest),
          ["AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", "StreamName", var.stream_name],
        ] }
      }
    },
    {
      stage = "ingest"
      widgets = merge(local.function_widgets.ingest, {
        "Received: accepted, duplicates, late" = { stat = "Sum", metrics = [
          for name in ["RecordsReceived", "EventsAccepted", "EventsDuplicate", "EventsLate"] :
          concat([var.metrics_namespace, name], local.of_service.ingest)
        ] }
        "Arrival after event time, in ms" = { stat = "Maximum", metrics = [
          for name in ["LagP50", "LagP99"] : concat([var.metrics_namespace, name], local.of_service.ingest)
        ] }
      })
    },
    {
      stage = "enrich"
      widgets = merge(local.function_widgets.enrich, local.queue_widgets.enrich, {
        "Events enriched" = { stat = "Sum", metrics = [concat([var.metrics_namespace, "EventsEnriched"], local.of_service.enrich)] }
      })
    },
    {
      stage = "aggregate"
      widgets = merge(local.function_widgets.aggregate, local.queue_widgets.aggregate, {
        "Events counted: live, replayed" = { stat = "Sum", metrics = [
          for name in ["EventsAggregated", "ReplayedEventsAggregated"] :
          concat([var.metrics_namespace, name], local.of_service.aggregate)
        ] }
      })
    },
    {
      stage = "archive"
      widgets = merge(local.function_widgets.archive, local.queue_widgets.archive, {
        "Archived: events, objects" = { stat = "Sum", metrics = [
          for name in ["EventsArchived", "ArchiveObjects"] :
          concat([var.metrics_namespace, name], local.of_service.archive)
        ] }
      })
    },
    {
      stage = "replay"
      widgets = merge(local.function_widgets.replay, local.queue_widgets.replay, {
        "Replay messages sent" = { stat = "Sum", metrics = [concat([var.metrics_namespace, "ReplayMessagesSent"], local.of_service.replay)] }
      })
    },
    {
      stage = "export"
      widgets = merge(local.function_widgets.export, {
        "Hours: complete, not exported, failed" = { stat = "Maximum", metrics = [
          for name in ["HoursComplete", "HoursNotExported", "HoursFailed"] :
          concat([var.metrics_namespace, name], local.of_service.export)
        ] }
        "Events exported" = { stat = "Sum", metrics = [concat([var.metrics_namespace, "EventsExported"], local.of_service.export)] }
      })
    },
    {
      stage = "watch"
      widgets = merge(local.function_widgets.watch, {
        "Unfinished commits" = { stat = "Maximum", metrics = [concat([var.metrics_namespace, "UnfinishedCommits"], local.of_service.watch)] }
        "Oldest unfinished, stalest shard, in s" = { stat = "Maximum", metrics = [
          for name in ["OldestUnfinishedCommitAge", "StalestShardAge"] :
          concat([var.metrics_namespace, name], local.of_service.watch)
        ] }
        "Overdue references sent" = { stat = "Sum", metrics = [concat([var.metrics_namespace, "OverdueReferencesSent"], local.of_service.watch)] }
      })
    },
  ]

  function_widgets = { for service, dimension in local.of_function : service => {
    "Calls, errors, throttles" = { stat = "Sum", metrics = [
      for name in ["Invocations", "Errors", "Throttles"] : concat(["AWS/Lambda", name], dimension)
    ] }
  } }

  queue_widgets = { for queue, name in var.queues : queue => {
    "Messages: waiting, dead" = { stat = "Maximum", metrics = [
      ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name],
      ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${name}-dlq"],
    ] }
    "Oldest message, in s" = { stat = "Maximum", metrics = [
      ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", name],
    ] }
  } }

  # 24 columns; a heading is one high, a widget six.
  heading = 1
  height  = 6
  top     = length(var.alarm_arns) == 0 ? 0 : 4

  alarm_widgets = [for arns in [var.alarm_arns] : {
    type       = "alarm"
    x          = 0
    y          = 0
    width      = 24
    height     = local.top
    properties = { title = "Alarms", alarms = sort(arns) }
  } if length(arns) > 0]

  headings = [for index, row in local.rows : {
    type       = "text"
    x          = 0
    y          = local.top + index * (local.heading + local.height)
    width      = 24
    height     = local.heading
    properties = { markdown = "## ${row.stage}" }
  }]

  graphs = flatten([for index, row in local.rows : [for column, title in keys(row.widgets) : {
    type   = "metric"
    x      = column * floor(24 / length(row.widgets))
    y      = local.top + index * (local.heading + local.height) + local.heading
    width  = floor(24 / length(row.widgets))
    height = local.height
    properties = {
      title   = title
      region  = var.region
      stat    = row.widgets[title].stat
      period  = 60
      metrics = row.widgets[title].metrics
    }
  }]])
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    start   = "-PT3H"
    widgets = concat(local.alarm_widgets, local.headings, local.graphs)
  })
}
