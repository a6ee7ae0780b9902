# Each value here is refused by a validation, before anything is planned. A run costs the start of a
# provider, so it holds as many values as do not touch each other: all that it names must fail.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name               = "millrace-test"
  account            = { id = "123456789012", partition = "aws", region = "eu-central-1" }
  metrics_namespace  = "Millrace/millrace-test"
  functions          = { ingest = "millrace-test-ingest" }
  dead_letter_queues = { enrich = "millrace-test-enrich-dlq" }
  stream_retention_h = 24
  tried_for_s        = 1800
}

run "refuses_first_values" {
  command = plan

  variables {
    # An upper case name.
    name = "Millrace"
    # An account that is no number.
    account = { id = "prod", partition = "aws", region = "eu-central-1" }
    # A namespace of AWS.
    metrics_namespace = "AWS/Lambda"
    # Functions without ingest.
    functions = { export = "millrace-test-export" }
    # A threshold of nothing.
    thresholds = { dead_letters = 0 }
    # An address without a domain.
    emails = ["ann"]
    # An action that is no ARN.
    actions = ["pager"]
    # A repository without its slash.
    repository_url = "https://example.com/millrace"
    # A key that is no ARN.
    kms_key_arn = "alias/mine"
  }

  expect_failures = [
    var.name, var.account, var.metrics_namespace, var.functions, var.thresholds, var.emails,
    var.actions, var.repository_url, var.kms_key_arn,
  ]
}

run "refuses_second_values" {
  command = plan

  variables {
    # Half an error.
    thresholds = { function_errors = 1.5 }
    # A sixth action.
    actions = [for n in range(5) : "arn:aws:sns:eu-central-1:123456789012:pager-${n}"]
  }

  expect_failures = [
    var.thresholds, var.actions,
  ]
}

run "refuses_more_than_all_records" {
  command = plan

  variables {
    thresholds = { rejected_percent = 101 }
  }

  expect_failures = [var.thresholds]
}

run "refuses_more_runs_than_a_day_has" {
  command = plan

  variables {
    thresholds = { export_runs = 25 }
  }

  expect_failures = [var.thresholds]
}

run "refuses_an_alarm_that_leaves_no_time_to_act" {
  command = plan

  variables {
    thresholds = { iterator_age_s = 43201 }
  }

  expect_failures = [var.thresholds]
}

run "refuses_to_ring_for_what_still_gets_done" {
  command = plan

  variables {
    thresholds = { residue_age_s = 1800 }
  }

  expect_failures = [var.thresholds]
}
