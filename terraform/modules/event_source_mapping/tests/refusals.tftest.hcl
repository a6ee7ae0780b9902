# Each value here is refused by a validation, before anything is planned.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  source_arn    = "arn:aws:sqs:eu-central-1:123456789012:millrace-test-enrich"
  function_name = "millrace-test-enrich"
  batch_size    = 10
}

run "refuses_a_source_of_another_kind" {
  command = plan

  variables {
    source_arn = "arn:aws:sns:eu-central-1:123456789012:topic"
  }

  expect_failures = [var.source_arn]
}

run "refuses_an_empty_batch" {
  command = plan

  variables {
    batch_size = 0
  }

  expect_failures = [var.batch_size]
}

run "refuses_a_window_beyond_5_minutes" {
  command = plan

  variables {
    batch_window_s = 301
  }

  expect_failures = [var.batch_window_s]
}

run "refuses_too_many_retries" {
  command = plan

  variables {
    maximum_retry_attempts = 10001
  }

  expect_failures = [var.maximum_retry_attempts]
}

run "refuses_a_record_age_below_a_minute" {
  command = plan

  variables {
    maximum_record_age_s = 59
  }

  expect_failures = [var.maximum_record_age_s]
}

run "refuses_a_concurrency_of_one" {
  command = plan

  variables {
    maximum_concurrency = 1
  }

  expect_failures = [var.maximum_concurrency]
}

run "refuses_a_large_queue_batch_without_a_window" {
  command = plan

  variables {
    batch_size = 11
  }

  expect_failures = [aws_lambda_event_source_mapping.this]
}
