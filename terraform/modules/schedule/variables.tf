variable "name" {
  description = "Name of the rule."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9._-]{1,64}$", var.name))
    error_message = "A rule's name has 1 to 64 characters out of a-z, A-Z, 0-9, '.', '_' and '-'."
  }
}

variable "description" {
  description = "What is done at this rate, in a line."
  type        = string
  nullable    = false
}

variable "every_min" {
  description = "Minutes from one invocation to the next."
  type        = number
  nullable    = false

  validation {
    condition     = var.every_min >= 1 && var.every_min == floor(var.every_min)
    error_message = "EventBridge's finest rate is one whole minute."
  }
}

variable "function_name" {
  description = "Name of the function to invoke."
  type        = string
  nullable    = false
}

variable "function_arn" {
  description = "ARN of the function to invoke."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[^:]+:lambda:", var.function_arn))
    error_message = "function_arn is the ARN of a Lambda function."
  }
}
