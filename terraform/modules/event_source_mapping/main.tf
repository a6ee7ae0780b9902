# What feeds a function: a Kinesis stream or an SQS queue, told apart by the source's ARN.

locals {
  kind       = split(":", var.source_arn)[2]
  is_kinesis = local.kind == "kinesis"
}

resource "aws_lambda_event_source_mapping" "this" {
  event_source_arn = var.source_arn
  function_name    = var.function_name
  batch_size       = var.batch_size

  maximum_batching_window_in_seconds = var.batch_window_s

  # A handler names what it could not do; the rest of its batch counts as done.
  function_response_types = ["ReportBatchItemFailures"]

  starting_position              = local.is_kinesis ? "TRIM_HORIZON" : null
  parallelization_factor         = local.is_kinesis ? 1 : null # order and commits are by shard
  maximum_retry_attempts         = local.is_kinesis ? var.maximum_retry_attempts : null
  maximum_record_age_in_seconds  = local.is_kinesis ? var.maximum_record_age_s : null
  bisect_batch_on_function_error = local.is_kinesis ? var.bisect_on_error : null

  dynamic "destination_config" {
    for_each = local.is_kinesis && var.destination_arn != "" ? [var.destination_arn] : []
    content {
      on_failure {
        destination_arn = destination_config.value
      }
    }
  }

  dynamic "scaling_config" {
    for_each = !local.is_kinesis && var.maximum_concurrency > 0 ? [var.maximum_concurrency] : []
    content {
      maximum_concurrency = scaling_config.value
    }
  }

  lifecycle {
    precondition {
      condition     = var.destination_arn != "" || (var.maximum_retry_attempts == -1 && var.maximum_record_age_s == -1)
      error_message = "What is given up goes somewhere: give destination_arn, or leave maximum_retry_attempts and maximum_record_age_s at -1."
    }

    precondition {
      condition     = local.is_kinesis || var.batch_size <= 10 || var.batch_window_s >= 1
      error_message = "An SQS batch of more than 10 messages needs a batch window of 1 second or more."
    }
  }
}
