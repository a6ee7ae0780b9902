# Each value here is refused by a validation, before anything is planned.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name              = "millrace-test"
  region            = "eu-central-1"
  metrics_namespace = "Millrace/millrace-test"
  stream_name       = "millrace-test-events"
  functions         = { for s in ["ingest", "enrich", "aggregate", "archive", "replay", "export", "watch"] : s => "millrace-test-${s}" }
  queues            = { for q in ["enrich", "aggregate", "archive", "replay"] : q => "millrace-test-${q}" }
}

run "refuses_a_name_with_a_dot" {
  command = plan

  variables {
    name = "millrace.test"
  }

  expect_failures = [var.name]
}

run "refuses_a_region_of_its_own" {
  command = plan

  variables {
    region = "mars"
  }

  expect_failures = [var.region]
}

run "refuses_a_namespace_of_aws" {
  command = plan

  variables {
    metrics_namespace = "AWS/Lambda"
  }

  expect_failures = [var.metrics_namespace]
}

run "refuses_a_stage_without_a_function" {
  command = plan

  variables {
    functions = { ingest = "millrace-test-ingest" }
  }

  expect_failures = [var.functions]
}

run "refuses_a_stage_without_a_queue" {
  command = plan

  variables {
    queues = { enrich = "millrace-test-enrich" }
  }

  expect_failures = [var.queues]
}

run "refuses_more_alarms_than_a_widget_shows" {
  command = plan

  variables {
    alarm_arns = [for n in range(101) : "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:a-${n}"]
  }

  expect_failures = [var.alarm_arns]
}
