variable "name" {
  description = "Name of the workgroup and, with '_' for '-', of the database."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,62}$", var.name))
    error_message = "The name has 2 to 63 characters out of a-z, 0-9 and '-', and begins with a letter."
  }
}

variable "bucket" {
  description = "Bucket of the archive (archive/) and of query results (athena/)."
  type        = string
  nullable    = false
}

variable "partitions" {
  description = "Folders of an hour below archive/, with {year}, {month}, {day} and {hour}, as the archive lays them out."
  type        = string
  nullable    = false
  default     = "year={year}/month={month}/day={day}/hour={hour}"

  validation {
    condition     = alltrue([for field in ["{year}", "{month}", "{day}", "{hour}"] : strcontains(var.partitions, field)])
    error_message = "The partition template holds {year}, {month}, {day} and {hour}."
  }
}

variable "years" {
  description = "Years that a query without a year looks into; each one more is 8,928 folders to look for."
  type = object({
    from = optional(number, 2015)
    to   = optional(number, 2035)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.years.from >= 1970 && var.years.to >= var.years.from && var.years.to <= 9999
    error_message = "Years run from 1970 or later to the same year or later."
  }
}

variable "max_scanned_gb" {
  description = "A query that scans more than this is cancelled: it forgot its hours."
  type        = number
  nullable    = false
  default     = 100

  validation {
    condition     = var.max_scanned_gb >= 1
    error_message = "A query may scan 1 GB or more."
  }
}

variable "force_destroy" {
  description = "Whether the workgroup may go although it has queries on record."
  type        = bool
  nullable    = false
  default     = false
}

variable "kms_key_arn" {
  description = "KMS key for query results; empty for S3's own."
  type        = string
  nullable    = false
  default     = ""

  validation {
    condition     = var.kms_key_arn == "" || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "The KMS key is given by its ARN (arn:...:kms:...:key/...), or is empty."
  }
}
