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
  description = "What is done then, in a line."
  type        = string
  nullable    = false
}

variable "expression" {
  description = "When: rate(1 minute), rate(5 minutes) or cron(5 * * * ? *), in UTC."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(rate\\(1 (minute|hour|day)\\)|rate\\(([2-9]|[1-9][0-9]+) (minutes|hours|days)\\)|cron\\([^ ()]+( [^ ()]+){5}\\))$", var.expression))
    error_message = "A schedule is rate(1 minute), rate(5 minutes) or cron() with its six fields: EventBridge's finest rate is one whole minute."
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
