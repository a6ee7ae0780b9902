# The hourly files of clients.

variable "export" {
  description = "The hourly files of clients: format (ndjson or array), compression (none or gzip), client_buckets (by client id, for clients with a bucket of their own), grace_s (how long an hour waits for late arrivals), segments (archive objects read at once), uploads (files written at once), storage_mb (room in /tmp, half of it for events of one pass), reserve_s (seconds of an invocation that are kept for what was begun)."
  type = object({
    format         = optional(string, "ndjson")
    compression    = optional(string, "none")
    client_buckets = optional(map(string), {})
    grace_s        = optional(number, 240)
    segments       = optional(number, 8)
    uploads        = optional(number, 4)
    storage_mb     = optional(number, 512)
    reserve_s      = optional(number, 180)
  })
  nullable = false
  default  = {}

  validation {
    condition     = contains(["ndjson", "array"], var.export.format)
    error_message = "The format of exports is ndjson or array."
  }

  validation {
    condition     = contains(["none", "gzip"], var.export.compression)
    error_message = "The compression of exports is none or gzip."
  }

  validation {
    condition     = alltrue([for bucket in values(var.export.client_buckets) : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", bucket))])
    error_message = "A client's bucket is named as S3 names buckets: 3 to 63 characters out of a-z, 0-9, '.' and '-'."
  }

  validation {
    condition     = var.export.grace_s >= 0 && floor(var.export.grace_s) == var.export.grace_s
    error_message = "grace_s is 0 seconds or more."
  }

  validation {
    condition     = var.export.segments >= 1 && var.export.segments <= 64 && var.export.uploads >= 1 && var.export.uploads <= 16
    error_message = "An export reads 1 to 64 segments and writes 1 to 16 files at once."
  }

  validation {
    condition     = var.export.storage_mb >= 512 && var.export.storage_mb <= 10240
    error_message = "A function has 512 to 10240 MB in /tmp."
  }

  validation {
    condition     = var.export.reserve_s >= 1 && floor(var.export.reserve_s) == var.export.reserve_s && var.export.reserve_s < var.functions.export.timeout_s
    error_message = "reserve_s is a whole number of seconds, 1 or more, and less than export's timeout: else nothing is ever begun."
  }

  validation {
    # Compressed, its text and the clients' shares of it; Python and its libraries take 100 MB.
    condition     = var.functions.export.memory_mb >= 100 + var.export.segments * 3 * var.archive_max_bytes / 1000000 + var.export.uploads * 20
    error_message = "The export's memory is too small for so many segments and uploads: raise functions.export.memory_mb, or lower export.segments, export.uploads or archive_max_bytes."
  }
}
