# Each value here is refused by a validation, before anything is planned. A run costs the start of a
# provider, so it holds as many values as do not touch each other: all that it names must fail.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  source_arn    = "arn:aws:sqs:eu-central-1:123456789012:millrace-test-enrich"
  function_name = "millrace-test-enrich"
  batch_size    = 10
}

run "refuses_values_beyond_their_bounds" {
  command = plan

  variables {
    # A source of another kind.
    source_arn = "arn:aws:sns:eu-central-1:123456789012:topic"
    # An empty batch.
    batch_size = 0
    # A window beyond 5 minutes.
    batch_window_s = 301
    # Too many retries.
    maximum_retry_attempts = 10001
    # A record age below a minute.
    maximum_record_age_s = 59
    # A destination of another kind.
    destination_arn = "arn:aws:lambda:eu-central-1:123456789012:function:other"
    # A concurrency of one.
    maximum_concurrency = 1
  }

  expect_failures = [
    var.source_arn, var.batch_size, var.batch_window_s, var.maximum_retry_attempts,
    var.maximum_record_age_s, var.maximum_concurrency, var.destination_arn,
  ]
}

run "refuses_a_large_queue_batch_without_a_window" {
  command = plan

  variables {
    batch_size = 11
  }

  expect_failures = [aws_lambda_event_source_mapping.this]
}

run "refuses_to_give_up_without_a_destination" {
  command = plan

  variables {
    source_arn             = "arn:aws:kinesis:eu-central-1:123456789012:stream/millrace-test-events"
    maximum_retry_attempts = 3
  }

  expect_failures = [aws_lambda_event_source_mapping.this]
}
