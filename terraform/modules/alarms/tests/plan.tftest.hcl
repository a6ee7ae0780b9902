# What is watched, from which figure on, and whom it tells.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name               = "millrace-test"
  account            = { id = "123456789012", partition = "aws", region = "eu-central-1" }
  metrics_namespace  = "Millrace/millrace-test"
  functions          = { ingest = "millrace-test-ingest", export = "millrace-test-export" }
  dead_letter_queues = { enrich = "millrace-test-enrich-dlq" }
  stream_retention_h = 24
  tried_for_s        = 1800
}

run "every_alarm_names_its_runbook_and_tells_the_topic" {
  command = apply

  assert {
    condition     = toset(keys(output.names)) == toset(["iterator-age", "discards-undelivered", "discarded-batches", "dlq-enrich", "errors-ingest", "errors-export", "throttles-ingest", "throttles-export", "residue", "rejects", "failed-replay", "missing-export"])
    error_message = "each function has two alarms, each dead-letter queue one"
  }

  assert {
    condition     = alltrue([for key, arn in output.arns : endswith(arn, ":alarm:${output.names[key]}")]) && keys(output.arns) == keys(output.names)
    error_message = "an alarm's ARN follows from its name"
  }

  assert {
    condition = alltrue([
      for alarm in values(aws_cloudwatch_metric_alarm.this) :
      can(regex(" Runbook: docs/runbooks/[a-z-]+\\.md\\. First: `millrace [a-z -]+`$", alarm.alarm_description))
      && length(alarm.alarm_description) <= 1024
    ])
    error_message = "a description ends with the runbook and the first command"
  }

  assert {
    condition = alltrue([
      for alarm in values(aws_cloudwatch_metric_alarm.this) :
      alarm.alarm_actions == toset([aws_sns_topic.this.arn]) && alarm.ok_actions == alarm.alarm_actions
      && alarm.comparison_operator == "GreaterThanOrEqualToThreshold"
    ])
    error_message = "an alarm tells the topic when it rings and when it is over"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["iterator-age"].threshold == 900000 && aws_cloudwatch_metric_alarm.this["iterator-age"].dimensions == tomap({ FunctionName = "millrace-test-ingest" })
    error_message = "the iterator's age is ingest's, in milliseconds"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["dlq-enrich"].dimensions == tomap({ QueueName = "millrace-test-enrich-dlq" }) && aws_cloudwatch_metric_alarm.this["dlq-enrich"].threshold == 1
    error_message = "one dead letter is enough"
  }

  assert {
    condition = alltrue([
      for key, alarm in aws_cloudwatch_metric_alarm.this :
      (length(alarm.insufficient_data_actions) == 1) == contains(["residue", "missing-export"], key)
      && (alarm.treat_missing_data == "missing") == contains(["residue", "missing-export"], key)
    ])
    error_message = "who must report and falls silent is told of"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["failed-replay"].dimensions == tomap({ service = "replay" }) && aws_cloudwatch_metric_alarm.this["failed-replay"].threshold == 1
    error_message = "one failed replay is enough"
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this["rejects"].metric_query) == 4 && aws_cloudwatch_metric_alarm.this["rejects"].metric_name == null
    error_message = "the share of rejects is computed of three figures"
  }

  assert {
    condition     = length(aws_sns_topic_subscription.email) == 0 && aws_sns_topic.this.kms_master_key_id == null
    error_message = "nobody is mailed unless somebody asks for it"
  }
}

run "thresholds_listeners_and_a_key_are_variables" {
  command = apply

  variables {
    emails         = ["ann@example.com"]
    actions        = ["arn:aws:sns:eu-central-1:123456789012:pager"]
    repository_url = "https://example.com/millrace/blob/main/"
    kms_key_arn    = "arn:aws:kms:eu-central-1:123456789012:key/k"
    thresholds     = { iterator_age_s = 60, residue_age_s = 1801, rejected_percent = 0.5 }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["discarded-batches"].metric_name == "DiscardedBatchesOpen" && aws_cloudwatch_metric_alarm.this["discarded-batches"].dimensions == aws_cloudwatch_metric_alarm.this["residue"].dimensions
    error_message = "watch tells of discarded batches"
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["iterator-age"].threshold == 60000
      && aws_cloudwatch_metric_alarm.this["residue"].threshold == 1801
      && aws_cloudwatch_metric_alarm.this["rejects"].threshold == 0.5
    )
    error_message = "each threshold is a variable"
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this["residue"].alarm_actions) == 2 && aws_sns_topic_subscription.email["ann@example.com"].protocol == "email"
    error_message = "who listens is a variable"
  }

  assert {
    condition     = strcontains(aws_cloudwatch_metric_alarm.this["residue"].alarm_description, "https://example.com/millrace/blob/main/docs/runbooks/residue.md")
    error_message = "the runbook may be a link"
  }

  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == "arn:aws:kms:eu-central-1:123456789012:key/k"
    error_message = "the topic is encrypted with the key"
  }
}
