variable "name" {
  description = "Name of the stream."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{1,128}$", var.name))
    error_message = "A stream's name has 1 to 128 characters out of a-z, A-Z, 0-9, '_', '.' and '-'."
  }
}

variable "account" {
  description = "Where the stream is; its ARN is computed from it."
  type = object({
    id        = string
    partition = string
    region    = string
  })
  nullable = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account.id))
    error_message = "An account id has 12 digits."
  }
}

variable "mode" {
  description = "PROVISIONED (shard_count shards) or ON_DEMAND."
  type        = string
  nullable    = false
  default     = "PROVISIONED"

  validation {
    condition     = contains(["PROVISIONED", "ON_DEMAND"], var.mode)
    error_message = "The mode is PROVISIONED or ON_DEMAND."
  }
}

variable "shard_count" {
  description = "Number of shards; 1 MB/s or 1,000 records/s in each. Not used in ON_DEMAND mode."
  type        = number
  nullable    = false
  default     = 1

  validation {
    condition     = var.shard_count >= 1 && floor(var.shard_count) == var.shard_count
    error_message = "The shard count is a whole number, 1 or more."
  }
}

variable "retention_h" {
  description = "How long records stay readable, in hours: the time within which a stopped consumer can catch up."
  type        = number
  nullable    = false
  default     = 24

  validation {
    condition     = var.retention_h >= 24 && var.retention_h <= 8760
    error_message = "Kinesis keeps records for 24 to 8760 hours."
  }
}

variable "kms_key_id" {
  description = "KMS key (id, ARN or alias) that encrypts the records."
  type        = string
  nullable    = false
  default     = "alias/aws/kinesis"

  validation {
    condition     = length(var.kms_key_id) > 0
    error_message = "The stream is always encrypted: name a key, or leave the default alias/aws/kinesis."
  }
}
