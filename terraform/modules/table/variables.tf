variable "name" {
  description = "Name of the table."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.name))
    error_message = "A table's name has 3 to 255 characters out of a-z, A-Z, 0-9, '_', '.' and '-'."
  }
}

variable "attributes" {
  description = "Type (S, N or B) of each attribute that is a key of the table or of an index, by name."
  type        = map(string)
  nullable    = false

  validation {
    condition     = alltrue([for type in values(var.attributes) : contains(["S", "N", "B"], type)])
    error_message = "A key attribute is of type S, N or B."
  }

  validation {
    condition = toset(keys(var.attributes)) == toset(compact(concat(
      [var.hash_key, var.range_key],
      flatten([for index in values(var.global_secondary_indexes) : [index.hash_key, index.range_key]]),
    )))
    error_message = "The attributes are exactly the keys of the table and of its indexes: DynamoDB refuses any other."
  }
}

variable "hash_key" {
  description = "Attribute that is the partition key."
  type        = string
  nullable    = false
}

variable "range_key" {
  description = "Attribute that is the sort key; empty for none."
  type        = string
  nullable    = false
  default     = ""
}

variable "global_secondary_indexes" {
  description = "Indexes by name. non_key_attributes counts only with projection_type INCLUDE."
  type = map(object({
    hash_key           = string
    range_key          = optional(string, "")
    projection_type    = optional(string, "ALL")
    non_key_attributes = optional(list(string), [])
  }))
  nullable = false
  default  = {}

  validation {
    condition = alltrue([
      for index in values(var.global_secondary_indexes) :
      contains(["ALL", "KEYS_ONLY", "INCLUDE"], index.projection_type)
    ])
    error_message = "An index projects ALL, KEYS_ONLY or INCLUDE."
  }
}

variable "ttl_attribute" {
  description = "Attribute that holds an item's end of life in epoch seconds; empty for items that do not expire."
  type        = string
  nullable    = false
  default     = ""
}

variable "billing_mode" {
  description = "PAY_PER_REQUEST, or PROVISIONED with the two capacities."
  type        = string
  nullable    = false
  default     = "PAY_PER_REQUEST"

  validation {
    condition     = contains(["PAY_PER_REQUEST", "PROVISIONED"], var.billing_mode)
    error_message = "The billing mode is PAY_PER_REQUEST or PROVISIONED."
  }
}

variable "read_capacity" {
  description = "Read units a second of the table and of each index; PROVISIONED only."
  type        = number
  nullable    = false
  default     = 5

  validation {
    condition     = var.read_capacity >= 1
    error_message = "The read capacity is 1 or more."
  }
}

variable "write_capacity" {
  description = "Write units a second of the table and of each index; PROVISIONED only."
  type        = number
  nullable    = false
  default     = 5

  validation {
    condition     = var.write_capacity >= 1
    error_message = "The write capacity is 1 or more."
  }
}

variable "point_in_time_recovery" {
  description = "Whether the table can be restored to any second of the last 35 days."
  type        = bool
  nullable    = false
  default     = true
}

variable "deletion_protection" {
  description = "Whether DynamoDB refuses to delete the table."
  type        = bool
  nullable    = false
  default     = true
}

variable "kms_key_arn" {
  description = "KMS key that encrypts the table; empty for the AWS managed key."
  type        = string
  nullable    = false
  default     = ""

  validation {
    condition     = var.kms_key_arn == "" || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "The KMS key is given by its ARN (arn:...:kms:...:key/...), or is empty."
  }
}
