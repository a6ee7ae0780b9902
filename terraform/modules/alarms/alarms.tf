# What is watched. Metrics of AWS under their own names, the pipeline's own under var.metrics_namespace
# (shared/runtime/src/millrace/observability.py has their catalogue).

locals {
  # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
  on_stream = {
    iterator-age = {
      namespace   = "AWS/Lambda"
      metric      = "IteratorAge"
      dimensions  = local.of_function.ingest
      threshold   = var.thresholds.iterator_age_s * 1000 # it is in milliseconds
      periods     = 5
      datapoints  = 3
      description = "Ingest is ${var.thresholds.iterator_age_s} s behind the stream: records are lost once that reaches the stream's retention."
      runbook     = "docs/runbooks/iterator-age.md"
    }
    discards-undelivered = {
      namespace   = "AWS/Lambda"
      metric      = "DestinationDeliveryFailures"
      dimensions  = local.of_function.ingest
      statistic   = "Sum"
      period_s    = 300
      threshold   = 1
      description = "Lambda discarded a batch of the stream, and could not say so to its destination either."
      runbook     = "docs/runbooks/discarded-batches.md"
      first       = "`millrace failures list`"
    }
  }

  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
  # A queue that is idle for six hours may fall silent there. So the last state stands while there is
  # no figure: what a quiet weekend has silenced is not repaired.
  on_queues = { for queue, name in var.dead_letter_queues : "dlq-${queue}" => {
    namespace   = "AWS/SQS"
    metric      = "ApproximateNumberOfMessagesVisible"
    dimensions  = { QueueName = name }
    threshold   = var.thresholds.dead_letters
    missing     = "ignore"
    description = "There are messages in the dead-letter queue of ${queue}: work that was given up, and expires with them."
    runbook     = "docs/runbooks/dead-letters.md"
    first       = "`millrace dlq list`"
  } }

  on_functions = merge([for service, name in var.functions : {
    "errors-${service}" = {
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = local.of_function[service]
      statistic   = "Sum"
      period_s    = 300
      threshold   = var.thresholds.function_errors
      description = "${name} failed ${var.thresholds.function_errors} times or more within five minutes."
      runbook     = "docs/runbooks/function-errors.md"
    }
    "throttles-${service}" = {
      namespace   = "AWS/Lambda"
      metric      = "Throttles"
      dimensions  = local.of_function[service]
      statistic   = "Sum"
      period_s    = 300
      threshold   = var.thresholds.function_throttles
      description = "Lambda refused ${name} ${var.thresholds.function_throttles} times or more within five minutes: no concurrency is left for it."
      runbook     = "docs/runbooks/function-throttles.md"
    }
  }]...)

  on_work = {
    # Watch reports every minute. Whoever has spoken and falls silent is told of as well (main.tf); a
    # new stack, which has not spoken yet, is no alarm.
    residue = {
      namespace   = var.metrics_namespace
      metric      = "OldestUnfinishedCommitAge"
      dimensions  = local.of_service.watch
      threshold   = var.thresholds.residue_age_s
      periods     = 5
      datapoints  = 3
      missing     = "missing"
      description = "A commit has been unfinished for ${var.thresholds.residue_age_s} s, or watch does not report: some of its events are not enriched, counted or archived."
      runbook     = "docs/runbooks/residue.md"
    }
    # Watch counts those that nobody has repaired or abandoned; its silence is residue's to tell.
    discarded-batches = {
      namespace   = var.metrics_namespace
      metric      = "DiscardedBatchesOpen"
      dimensions  = local.of_service.watch
      threshold   = var.thresholds.discarded_batches
      missing     = "ignore"
      description = "A batch of the stream was discarded: its records are not committed, and are lost for good once the stream's retention and the copy in the data bucket have passed."
      runbook     = "docs/runbooks/discarded-batches.md"
      first       = "`millrace failures list`"
    }
    # received = accepted + duplicates + rejected, in every batch.
    rejects = {
      namespace   = var.metrics_namespace
      dimensions  = local.of_service.ingest
      statistic   = "Sum"
      period_s    = 300
      threshold   = var.thresholds.rejected_percent
      measures    = { received = "RecordsReceived", accepted = "EventsAccepted", duplicates = "EventsDuplicate" }
      expression  = "IF(received >= ${var.thresholds.rejects_judged_from}, 100 * (received - accepted - duplicates) / received, 0)"
      description = "${var.thresholds.rejected_percent} percent or more of five minutes' records were rejected: they are in quarantine, and nowhere else."
      runbook     = "docs/runbooks/rejects.md"
      first       = "`millrace quarantine stats`"
    }
    # It is told once, when it fails: the state of the replay says until when.
    failed-replay = {
      namespace   = var.metrics_namespace
      metric      = "ReplaysFailed"
      dimensions  = local.of_service.replay
      statistic   = "Sum"
      period_s    = 300
      threshold   = var.thresholds.failed_replays
      description = "A replay failed: what it was planned to send cannot be read any more, and it does not go on by itself."
      runbook     = "docs/runbooks/failed-replay.md"
      first       = "`millrace replay list`"
    }
    # Once an hour, after each scheduled run; no run, no figure.
    missing-export = {
      namespace   = var.metrics_namespace
      metric      = "HoursNotExported"
      dimensions  = local.of_service.export
      period_s    = 3600
      threshold   = 1
      periods     = var.thresholds.export_runs
      datapoints  = var.thresholds.export_runs
      missing     = "missing"
      description = "Hours that have ended are not exported as complete, ${var.thresholds.export_runs} runs in a row, or export does not run."
      runbook     = "docs/runbooks/missing-export.md"
    }
  }
}
