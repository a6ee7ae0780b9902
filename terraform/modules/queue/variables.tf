variable "name" {
  description = "Name of the queue; its dead-letter queue is called <name>-dlq."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,76}$", var.name))
    error_message = "A queue's name has 1 to 76 characters (80 with '-dlq') out of a-z, A-Z, 0-9, '_' and '-'."
  }
}

variable "account" {
  description = "Where the queues are; their ARNs are computed from it."
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

variable "visibility_timeout_s" {
  description = "Seconds for which a received message is hidden, hence the wait before a failed one is tried again. At least six times the consumer's timeout on AWS."
  type        = number
  nullable    = false

  validation {
    condition     = var.visibility_timeout_s >= 1 && var.visibility_timeout_s <= 43200
    error_message = "The visibility timeout is 1 to 43200 seconds."
  }
}

variable "max_receive_count" {
  description = "How often a message is tried before it goes to the dead-letter queue."
  type        = number
  nullable    = false
  default     = 5

  validation {
    condition     = var.max_receive_count >= 1 && var.max_receive_count <= 1000
    error_message = "A message is received 1 to 1000 times before it is given up."
  }
}

variable "retention_s" {
  description = "Seconds after which the queue drops a message that nobody took. Must be less than the dead-letter queue's: a moved message keeps its age."
  type        = number
  nullable    = false
  default     = 345600

  validation {
    condition     = var.retention_s >= 60 && var.retention_s < var.dead_letter_retention_s
    error_message = "The retention is 60 seconds or more, and less than the dead-letter queue's: a moved message keeps its age."
  }
}

variable "dead_letter_retention_s" {
  description = "Seconds after which the dead-letter queue drops a message; 14 days, SQS's longest, unless said otherwise."
  type        = number
  nullable    = false
  default     = 1209600

  validation {
    condition     = var.dead_letter_retention_s >= 60 && var.dead_letter_retention_s <= 1209600
    error_message = "SQS keeps messages for 60 to 1209600 seconds."
  }
}

variable "told_of_bucket_arns" {
  description = "Buckets of this account from which S3 may send word of new objects. With kms_key_arn, the key's policy must let s3.amazonaws.com use it."
  type        = list(string)
  nullable    = false
  default     = []

  validation {
    condition     = alltrue([for arn in var.told_of_bucket_arns : can(regex("^arn:[^:]+:s3:::[^/*]+$", arn))])
    error_message = "A bucket is given by its ARN (arn:...:s3:::NAME)."
  }
}

variable "enforce_tls" {
  description = "Whether the queues refuse requests in the clear. Off only where the endpoint has no TLS."
  type        = bool
  nullable    = false
  default     = true
}

variable "kms_key_arn" {
  description = "KMS key that encrypts the messages; empty for SQS's own key."
  type        = string
  nullable    = false
  default     = ""

  validation {
    condition     = var.kms_key_arn == "" || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "The KMS key is given by its ARN (arn:...:kms:...:key/...), or is empty."
  }
}
