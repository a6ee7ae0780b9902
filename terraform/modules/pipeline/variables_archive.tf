# The archive: how its objects are cut, and the table for queries over it.

variable "archive_max_events" {
  description = "Most events in an object of the archive."
  type        = number
  nullable    = false
  default     = 1000

  validation {
    condition     = var.archive_max_events >= 1
    error_message = "An object of the archive holds an event or more."
  }
}

variable "archive_max_bytes" {
  description = "Most bytes, uncompressed, in an object of the archive."
  type        = number
  nullable    = false
  default     = 5000000

  validation {
    condition     = var.archive_max_bytes >= var.max_event_bytes
    error_message = "An object of the archive holds the largest event: archive_max_bytes is at least max_event_bytes."
  }
}

variable "archive_compression" {
  description = "How objects of the archive are compressed: gzip or zstd. A new value holds for commits that are not enriched yet."
  type        = string
  nullable    = false
  default     = "gzip"

  validation {
    condition     = contains(["gzip", "zstd"], var.archive_compression)
    error_message = "The archive's compression is gzip or zstd."
  }
}

variable "archive_level" {
  description = "Level of the archive's compression: gzip has 1 to 9, zstd 1 to 19."
  type        = number
  nullable    = false
  default     = 6

  validation {
    condition     = var.archive_level >= 1 && var.archive_level <= (var.archive_compression == "gzip" ? 9 : 19) && floor(var.archive_level) == var.archive_level
    error_message = "The archive's level is a whole number: 1 to 9 for gzip, 1 to 19 for zstd."
  }
}

variable "archive_partitions" {
  description = "Folders of an hour below archive/, with {year}, {month}, {day} and {hour}. The table for queries expects one layout: choose it before the first event."
  type        = string
  nullable    = false
  default     = "year={year}/month={month}/day={day}/hour={hour}"

  validation {
    condition = (
      alltrue([for field in ["{year}", "{month}", "{day}", "{hour}"] : strcontains(var.archive_partitions, field)])
      && length(var.archive_partitions) <= 200
      && can(regex("^([A-Za-z0-9=_-]|{(year|month|day|hour)})+(/([A-Za-z0-9=_-]|{(year|month|day|hour)})+)*$", var.archive_partitions))
    )
    error_message = "The partition template holds {year}, {month}, {day} and {hour} in folders of letters, digits, '=', '_' and '-', without a slash at either end."
  }
}

variable "catalog" {
  description = "The archive as a table for Athena: year_from and year_to bound queries that name no year, max_scanned_gb cancels a query that forgot its hours."
  type = object({
    enabled        = optional(bool, true)
    year_from      = optional(number, 2015)
    year_to        = optional(number, 2035)
    max_scanned_gb = optional(number, 100)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.catalog.year_from >= 1970 && var.catalog.year_to >= var.catalog.year_from && var.catalog.year_to <= 9999
    error_message = "The catalog's years run from 1970 or later to the same year or later."
  }
}
