variable "name" {
  description = "Name of the function and of its role."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,64}$", var.name))
    error_message = "A function's name has 1 to 64 characters out of a-z, A-Z, 0-9, '_' and '-'."
  }
}

variable "service" {
  description = "Service that the function runs: the first part of its zip's key."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]*$", var.service))
    error_message = "A service's name is a Python package's: lower-case letters, digits and '_'."
  }
}

variable "description" {
  description = "What the function does, in a line."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.description) <= 256
    error_message = "Lambda keeps descriptions of up to 256 characters."
  }
}

variable "account" {
  description = "Where the function is; the ARN of its log group is computed from it."
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

variable "policy_json" {
  description = "What the function may do beside writing its logs: the JSON of an aws_iam_policy_document."
  type        = string
  nullable    = false

  validation {
    condition     = can(jsondecode(var.policy_json))
    error_message = "The policy is JSON: pass the json of an aws_iam_policy_document."
  }
}

variable "artifacts_bucket" {
  description = "Bucket that takes the zip, under <service>/<sha256>.zip."
  type        = string
  nullable    = false
}

variable "zip_path" {
  description = "Path of the function's zip on this machine."
  type        = string
  nullable    = false

  validation {
    condition     = fileexists(var.zip_path)
    error_message = "There is no zip at ${var.zip_path}: run 'make build' first."
  }
}

variable "handler" {
  description = "Import path of the handler."
  type        = string
  nullable    = false
}

variable "runtime" {
  description = "Lambda's name of the Python version that the zip was built for."
  type        = string
  nullable    = false
  default     = "python3.13"

  validation {
    condition     = can(regex("^python3\\.(1[1-9])$", var.runtime))
    error_message = "The runtime is python3.11 or later."
  }
}

variable "architecture" {
  description = "Processor that the zip was built for: x86_64 or arm64."
  type        = string
  nullable    = false
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "The architecture is x86_64 or arm64."
  }
}

variable "environment" {
  description = "The function's settings. No secret: they can be read in the console."
  type        = map(string)
  nullable    = false
}

variable "memory_mb" {
  description = "Memory; processor time grows with it."
  type        = number
  nullable    = false
  default     = 512

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240
    error_message = "A function has 128 to 10240 MB."
  }
}

variable "ephemeral_storage_mb" {
  description = "Room in /tmp."
  type        = number
  nullable    = false
  default     = 512

  validation {
    condition     = var.ephemeral_storage_mb >= 512 && var.ephemeral_storage_mb <= 10240
    error_message = "A function has 512 to 10240 MB in /tmp."
  }
}

variable "timeout_s" {
  description = "Seconds after which Lambda ends a call."
  type        = number
  nullable    = false
  default     = 60

  validation {
    condition     = var.timeout_s >= 1 && var.timeout_s <= 900
    error_message = "A function's timeout is 1 to 900 seconds."
  }
}

variable "reserved_concurrency" {
  description = "Calls that may run at once, taken from the account's share; -1 for no bound, 0 stops the function."
  type        = number
  nullable    = false
  default     = -1

  validation {
    condition     = var.reserved_concurrency >= -1
    error_message = "The reserved concurrency is -1 (no bound), 0 (stopped) or more."
  }
}

variable "tracing_mode" {
  description = "Active sends X-Ray traces; PassThrough only hands on the caller's."
  type        = string
  nullable    = false
  default     = "PassThrough"

  validation {
    condition     = contains(["Active", "PassThrough"], var.tracing_mode)
    error_message = "The tracing mode is Active or PassThrough."
  }
}

variable "log_retention_days" {
  description = "Days for which CloudWatch keeps the function's logs."
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

variable "kms_key_arn" {
  description = "KMS key for the settings and the logs, which the function may then use; empty for AWS's own keys. Its policy must let CloudWatch Logs use it."
  type        = string
  nullable    = false
  default     = ""

  validation {
    condition     = var.kms_key_arn == "" || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "The KMS key is given by its ARN (arn:...:kms:...:key/...), or is empty."
  }
}

variable "vpc_config" {
  description = "Subnets and security groups to run in; empty for Lambda's own network. The subnets must reach AWS's endpoints."
  type = object({
    subnet_ids         = optional(list(string), [])
    security_group_ids = optional(list(string), [])
  })
  nullable = false
  default  = {}

  validation {
    condition     = (length(var.vpc_config.subnet_ids) > 0) == (length(var.vpc_config.security_group_ids) > 0)
    error_message = "A VPC needs both: one subnet or more, and one security group or more."
  }

  validation {
    condition = alltrue(concat(
      [for id in var.vpc_config.subnet_ids : startswith(id, "subnet-")],
      [for id in var.vpc_config.security_group_ids : startswith(id, "sg-")],
    ))
    error_message = "Subnets are named by id (subnet-...), and so are security groups (sg-...)."
  }
}
