variable "source_arn" {
  description = "ARN of the Kinesis stream or SQS queue. Better known at plan time: what the mapping may hold follows from it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[^:]+:(kinesis|sqs):", var.source_arn))
    error_message = "The source is the ARN of a Kinesis stream or of an SQS queue."
  }
}

variable "function_name" {
  description = "Name of the function that is fed."
  type        = string
  nullable    = false
}

variable "batch_size" {
  description = "Most records or messages in a call."
  type        = number
  nullable    = false

  validation {
    condition     = var.batch_size >= 1 && var.batch_size <= 10000
    error_message = "A batch has 1 to 10000 records."
  }
}

variable "batch_window_s" {
  description = "Seconds that Lambda waits for a batch to fill."
  type        = number
  nullable    = false
  default     = 0

  validation {
    condition     = var.batch_window_s >= 0 && var.batch_window_s <= 300
    error_message = "The batch window is 0 to 300 seconds."
  }
}

variable "maximum_retry_attempts" {
  description = "Kinesis: how often a failed batch is tried again before it is discarded; -1 for ever, the shard waiting meanwhile."
  type        = number
  nullable    = false
  default     = -1

  validation {
    condition     = var.maximum_retry_attempts >= -1 && var.maximum_retry_attempts <= 10000
    error_message = "The retry attempts are -1 (for ever) to 10000."
  }
}

variable "maximum_record_age_s" {
  description = "Kinesis: age at which a record is discarded unread; -1 for never."
  type        = number
  nullable    = false
  default     = -1

  validation {
    condition     = var.maximum_record_age_s == -1 || (var.maximum_record_age_s >= 60 && var.maximum_record_age_s <= 604800)
    error_message = "The maximum record age is -1 (never) or 60 to 604800 seconds."
  }
}

variable "destination_arn" {
  description = "Kinesis: bucket, queue or topic that is sent each batch given up, with the rights of the function's role; a bucket receives the records as well. Empty for none: then nothing may be given up."
  type        = string
  nullable    = false
  default     = ""

  validation {
    condition     = var.destination_arn == "" || can(regex("^arn:[^:]+:(s3|sqs|sns):", var.destination_arn))
    error_message = "The destination is the ARN of a bucket, a queue or a topic, or empty."
  }
}

variable "bisect_on_error" {
  description = "Kinesis: whether a failed batch is halved before it is tried again, so that a poisonous record ends up alone."
  type        = bool
  nullable    = false
  default     = true
}

variable "maximum_concurrency" {
  description = "SQS: most calls at once that this queue may cause; 0 for no bound."
  type        = number
  nullable    = false
  default     = 0

  validation {
    condition     = var.maximum_concurrency == 0 || (var.maximum_concurrency >= 2 && var.maximum_concurrency <= 1000)
    error_message = "The maximum concurrency is 0 (no bound) or 2 to 1000."
  }
}
