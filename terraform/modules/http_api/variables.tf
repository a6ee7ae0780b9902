variable "name" {
  description = "Name of the API."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,128}$", var.name))
    error_message = "An API's name has 1 to 128 characters out of a-z, A-Z, 0-9, '_' and '-': its log group bears it too."
  }
}

variable "description" {
  description = "What the API is for, in a line."
  type        = string
  nullable    = false
}

variable "routes" {
  description = "The functions by method and path (\"POST /ingest\", \"GET /replay/{id}\", \"GET /events/{id+}\"); timeout_ms is how long the gateway waits for one."
  type = map(object({
    function_name = string
    function_arn  = string
    timeout_ms    = optional(number, 30000)
  }))
  nullable = false

  validation {
    condition     = length(var.routes) > 0 && alltrue([for key in keys(var.routes) : can(regex("^(GET|POST|PUT|PATCH|DELETE) (/([a-zA-Z0-9_-]+|[{][a-zA-Z0-9_]+[}]))*(/([a-zA-Z0-9_-]+|[{][a-zA-Z0-9_]+[+]?[}]))$", key))])
    error_message = "Each route is a method, a space and a path, as in \"POST /ingest\", \"GET /replay/{id}\" or \"GET /events/{id+}\" (greedy, so at the end); there is at least one."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : can(regex("^arn:[^:]+:lambda:", route.function_arn))])
    error_message = "function_arn is the ARN of a Lambda function."
  }

  # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
  validation {
    condition     = alltrue([for route in values(var.routes) : route.timeout_ms >= 50 && route.timeout_ms <= 30000])
    error_message = "An HTTP API waits 50 to 30000 milliseconds."
  }
}

variable "throttling" {
  description = "Requests a second over time (rate) and at once (burst), for each route; more are answered 429."
  type = object({
    rate  = number
    burst = number
  })
  nullable = false

  validation {
    condition     = var.throttling.rate > 0 && var.throttling.burst >= 1 && var.throttling.burst == floor(var.throttling.burst)
    error_message = "The rate is above 0 and the burst a whole number from 1 on: 0 would refuse all requests."
  }
}

variable "log_retention_days" {
  description = "Days for which CloudWatch keeps the access log."
  type        = number
  nullable    = false
  default     = 30

  validation {
    condition     = var.log_retention_days >= 1
    error_message = "The access log is kept for a day or more."
  }
}

variable "kms_key_arn" {
  description = "KMS key of the access log; empty for AWS's own."
  type        = string
  nullable    = false
  default     = ""

  validation {
    condition     = var.kms_key_arn == "" || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "The KMS key is given by its ARN (arn:...:kms:...:key/...), or is empty."
  }
}
