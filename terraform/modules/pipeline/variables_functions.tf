# What holds for the functions: their size, what runs them, what they log.

variable "functions" {
  description = "Size of each function; reserved_concurrency -1 sets no bound."
  type = object({
    ingest = optional(object({
      memory_mb            = optional(number, 1024)
      timeout_s            = optional(number, 60)
      reserved_concurrency = optional(number, -1)
    }), {})
    enrich = optional(object({
      memory_mb            = optional(number, 512)
      timeout_s            = optional(number, 60)
      reserved_concurrency = optional(number, -1)
    }), {})
    aggregate = optional(object({
      memory_mb            = optional(number, 512)
      timeout_s            = optional(number, 60)
      reserved_concurrency = optional(number, -1)
    }), {})
    archive = optional(object({
      memory_mb            = optional(number, 512)
      timeout_s            = optional(number, 60)
      reserved_concurrency = optional(number, -1)
    }), {})
    export = optional(object({
      memory_mb            = optional(number, 1024)
      timeout_s            = optional(number, 900)
      reserved_concurrency = optional(number, -1)
    }), {})
    replay = optional(object({
      memory_mb            = optional(number, 512)
      timeout_s            = optional(number, 60)
      reserved_concurrency = optional(number, -1)
    }), {})
    watch = optional(object({
      memory_mb            = optional(number, 256)
      timeout_s            = optional(number, 60)
      reserved_concurrency = optional(number, -1)
    }), {})
    ingest_api = optional(object({
      memory_mb            = optional(number, 512)
      timeout_s            = optional(number, 25)
      reserved_concurrency = optional(number, -1)
    }), {})
    replay_api = optional(object({
      memory_mb            = optional(number, 1024)
      timeout_s            = optional(number, 29)
      reserved_concurrency = optional(number, -1)
    }), {})
    operator_api = optional(object({
      memory_mb            = optional(number, 512)
      timeout_s            = optional(number, 29)
      reserved_concurrency = optional(number, -1)
    }), {})
    investigate = optional(object({
      memory_mb            = optional(number, 1024)
      timeout_s            = optional(number, 29)
      reserved_concurrency = optional(number, -1)
    }), {})
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.functions.ingest_api.timeout_s >= 10 && var.functions.ingest_api.timeout_s < 30
    error_message = "The timeout of ingest_api is 10 to 29 seconds: an HTTP API gives up after 30, and the function keeps 8 for its last call."
  }

  validation {
    condition     = var.functions.replay_api.timeout_s >= 10 && var.functions.replay_api.timeout_s < 30
    error_message = "The timeout of replay_api is 10 to 29 seconds: an HTTP API gives up after 30, and the function keeps 8 for starting what it planned."
  }

  validation {
    condition     = var.functions.operator_api.timeout_s >= 25 && var.functions.operator_api.timeout_s < 30
    error_message = "The timeout of operator_api is 25 to 29 seconds: an HTTP API gives up after 30, and a redrive waits up to 15 for its canary."
  }

  validation {
    condition     = var.functions.investigate.timeout_s >= 10 && var.functions.investigate.timeout_s < 30
    error_message = "The timeout of investigate is 10 to 29 seconds: an HTTP API gives up after 30, and the function keeps 8 for its last page and the answer."
  }
}

variable "runtime" {
  description = "Lambda's name of the Python version that the zips were built for."
  type        = string
  nullable    = false
  default     = "python3.13"

  validation {
    condition     = can(regex("^python3\\.(1[1-9])$", var.runtime))
    error_message = "The runtime is python3.11 or later."
  }
}

variable "architecture" {
  description = "Processor that the zips were built for: x86_64 or arm64."
  type        = string
  nullable    = false
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "The architecture is x86_64 or arm64."
  }
}

variable "log_level" {
  description = "Least level that functions log."
  type        = string
  nullable    = false
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "The log level is DEBUG, INFO, WARNING or ERROR."
  }
}

variable "log_retention_days" {
  description = "Days for which CloudWatch keeps the functions' logs and the API's access log."
  type        = number
  nullable    = false
  default     = 30

  validation {
    condition = contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
      var.log_retention_days,
    )
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}

variable "tracing_mode" {
  description = "Active sends X-Ray traces, to be found by annotation.correlation_id; PassThrough only hands on the caller's."
  type        = string
  nullable    = false
  default     = "PassThrough"

  validation {
    condition     = contains(["Active", "PassThrough"], var.tracing_mode)
    error_message = "The tracing mode is Active or PassThrough."
  }
}
