variable "name" {
  description = "Name of the bucket: one namespace for all of AWS, so it should hold the account id."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.name))
    error_message = "A bucket's name has 3 to 63 characters out of a-z, 0-9, '.' and '-', a letter or digit at both ends."
  }
}

variable "lifecycle_rules" {
  description = "What happens to objects below a prefix as they age, by the rule's name. Days of 0 mean never; transitions map a storage class to its day."
  type = map(object({
    prefix                     = string
    expiration_days            = optional(number, 0)
    noncurrent_expiration_days = optional(number, 0)
    transitions                = optional(map(number), {})
  }))
  nullable = false
  default  = {}

  validation {
    condition = alltrue([
      for rule in values(var.lifecycle_rules) :
      rule.expiration_days >= 0 && rule.noncurrent_expiration_days >= 0
      && alltrue([for days in values(rule.transitions) : days >= 0])
    ])
    error_message = "The days of a lifecycle rule are 0 (never) or more."
  }

  validation {
    condition = alltrue([
      for rule in values(var.lifecycle_rules) :
      rule.expiration_days + rule.noncurrent_expiration_days + length(rule.transitions) > 0
    ])
    error_message = "A lifecycle rule does something: give it expiration_days, noncurrent_expiration_days or transitions, or leave it out."
  }

  validation {
    condition = alltrue([
      for rule in values(var.lifecycle_rules) :
      alltrue([for days in values(rule.transitions) : rule.expiration_days == 0 || days < rule.expiration_days])
    ])
    error_message = "Objects change their storage class before they expire."
  }
}

variable "write_once_prefixes" {
  description = "Prefixes (with their closing '/') below which an object may be created but never overwritten."
  type        = list(string)
  nullable    = false
  default     = []

  validation {
    condition     = alltrue([for prefix in var.write_once_prefixes : endswith(prefix, "/")])
    error_message = "A prefix ends with '/'."
  }
}

variable "undeletable_prefixes" {
  description = "Prefixes (with their closing '/') below which nobody may delete; only lifecycle rules remove objects there."
  type        = list(string)
  nullable    = false
  default     = []

  validation {
    condition     = alltrue([for prefix in var.undeletable_prefixes : endswith(prefix, "/")])
    error_message = "A prefix ends with '/'."
  }
}

variable "told_queues" {
  description = "Queues that are told of each new object below a prefix, by the notification's name. The queue's policy must let S3 send to it, and must be there before."
  type = map(object({
    prefix    = string
    queue_arn = string
  }))
  nullable = false
  default  = {}

  validation {
    condition     = alltrue([for told in values(var.told_queues) : endswith(told.prefix, "/")])
    error_message = "A prefix ends with '/'."
  }
}

variable "enforce_tls" {
  description = "Whether the bucket refuses requests in the clear. Off only where the endpoint has no TLS."
  type        = bool
  nullable    = false
  default     = true
}

variable "enforce_if_none_match" {
  description = "Whether write_once_prefixes are enforced. Off only where the endpoint does not know the condition key s3:if-none-match."
  type        = bool
  nullable    = false
  default     = true
}

variable "force_destroy" {
  description = "Whether destroying the bucket destroys the objects in it."
  type        = bool
  nullable    = false
  default     = false
}

variable "kms_key_arn" {
  description = "KMS key that encrypts the objects; empty for S3's own keys (AES256)."
  type        = string
  nullable    = false
  default     = ""

  validation {
    condition     = var.kms_key_arn == "" || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "The KMS key is given by its ARN (arn:...:kms:...:key/...), or is empty."
  }
}
