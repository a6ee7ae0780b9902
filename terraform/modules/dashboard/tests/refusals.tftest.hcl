# Each value here is refused by a validation, before anything is planned. A run costs the start of a
# provider, so it holds as many values as do not touch each other: all that it names must fail.

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

run "refuses_values_beyond_their_bounds" {
  command = plan

  variables {
    # A name with a dot.
    name = "millrace.test"
    # A region of its own.
    region = "mars"
    # A namespace of aws.
    metrics_namespace = "AWS/Lambda"
    # A stage without a function.
    functions = { ingest = "millrace-test-ingest" }
    # A stage without a queue.
    queues = { enrich = "millrace-test-enrich" }
    # More alarms than a widget shows.
    alarm_arns = [for n in range(101) : "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:a-${n}"]
  }

  expect_failures = [
    var.name, var.region, var.metrics_namespace, var.functions, var.queues, var.alarm_arns,
  ]
}
