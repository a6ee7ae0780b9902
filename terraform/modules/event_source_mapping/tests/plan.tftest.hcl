# A mapping fits its source, and takes partial failures.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  source_arn    = "arn:aws:sqs:eu-central-1:123456789012:millrace-test-enrich"
  function_name = "millrace-test-enrich"
  batch_size    = 10
}

run "queue" {
  command = plan

  assert {
    condition     = aws_lambda_event_source_mapping.this.function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "a handler may name what it could not do"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.starting_position == null && length(aws_lambda_event_source_mapping.this.scaling_config) == 0
    error_message = "a queue has no position, and no bound unless given"
  }
}

run "bounded_queue" {
  command = plan

  variables {
    maximum_concurrency = 5
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.scaling_config[0].maximum_concurrency == 5
    error_message = "the concurrency is bounded"
  }
}

run "stream" {
  command = plan

  variables {
    source_arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/millrace-test-events"
    batch_size = 500
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.function_response_types == toset(["ReportBatchItemFailures"]) && aws_lambda_event_source_mapping.this.starting_position == "TRIM_HORIZON"
    error_message = "a stream is read from its beginning, with partial failures"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.parallelization_factor == 1 && aws_lambda_event_source_mapping.this.maximum_retry_attempts == -1 && aws_lambda_event_source_mapping.this.maximum_record_age_in_seconds == -1
    error_message = "shards are read in order, and nothing is discarded"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.bisect_batch_on_function_error && length(aws_lambda_event_source_mapping.this.scaling_config) == 0
    error_message = "a failed batch is halved"
  }
}

run "stream_that_gives_up" {
  command = plan

  variables {
    source_arn             = "arn:aws:kinesis:eu-central-1:123456789012:stream/millrace-test-events"
    batch_size             = 500
    maximum_retry_attempts = 3
    maximum_record_age_s   = 3600
    destination_arn        = "arn:aws:s3:::millrace-test-data"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.maximum_retry_attempts == 3 && aws_lambda_event_source_mapping.this.maximum_record_age_in_seconds == 3600
    error_message = "a batch is given up after so many attempts, or at that age"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.destination_config[0].on_failure[0].destination_arn == "arn:aws:s3:::millrace-test-data"
    error_message = "and is kept in the bucket"
  }
}
