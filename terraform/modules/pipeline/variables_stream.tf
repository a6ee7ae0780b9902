# The stream, and how ingest reads it.

variable "stream" {
  description = "Capacity of the stream: mode PROVISIONED with shard_count, or ON_DEMAND; retention_h is the time in which a stopped ingest can catch up."
  type = object({
    mode        = optional(string, "PROVISIONED")
    shard_count = optional(number, 1)
    retention_h = optional(number, 24)
  })
  nullable = false
  default  = {}
}

variable "stream_mapping" {
  description = "How ingest is fed. By default a batch that fails holds its shard until it succeeds, or until its records are 20 hours old: before the stream drops them they are given up and kept in the data bucket, whence `millrace failures repair` takes them."
  type = object({
    batch_size             = optional(number, 500)
    batch_window_s         = optional(number, 5)
    maximum_retry_attempts = optional(number, -1)
    maximum_record_age_s   = optional(number, 72000)
    bisect_on_error        = optional(bool, true)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.stream_mapping.maximum_record_age_s < var.stream.retention_h * 3600
    error_message = "maximum_record_age_s is less than the stream's retention: what the stream has dropped cannot be given up any more, it is gone. -1 waits for ever, and loses what is older than the retention."
  }
}
