variable "name" {
  description = "Name of the dashboard."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,255}$", var.name))
    error_message = "A dashboard's name has 1 to 255 letters, digits, '-' and '_'."
  }
}

variable "region" {
  description = "Region of the metrics."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A region looks like us-east-1."
  }
}

variable "metrics_namespace" {
  description = "Namespace of the pipeline's own metrics."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._/#-]{1,255}$", var.metrics_namespace)) && !startswith(var.metrics_namespace, "AWS/")
    error_message = "A namespace has 1 to 255 letters, digits, '.', '_', '/', '#' and '-', and does not begin with AWS/."
  }
}

variable "stream_name" {
  description = "Name of the stream."
  type        = string
  nullable    = false
}

variable "functions" {
  description = "Names of the functions, by service: those of the live path, replay, export and watch."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(setsubtract(["ingest", "enrich", "aggregate", "archive", "replay", "export", "watch"], keys(var.functions))) == 0
    error_message = "Each stage has its function: ingest, enrich, aggregate, archive, replay, export and watch."
  }
}

variable "queues" {
  description = "Names of the queues, by what they feed; the dead-letter queue of each ends in -dlq."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(setsubtract(["enrich", "aggregate", "archive", "replay"], keys(var.queues))) == 0
    error_message = "Each consumer has its queue: enrich, aggregate, archive and replay."
  }
}

variable "alarm_arns" {
  description = "ARNs of the alarms to show above all rows; none shows none."
  type        = list(string)
  nullable    = false
  default     = []

  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
  validation {
    condition     = length(var.alarm_arns) <= 100
    error_message = "A widget shows 100 alarms at most."
  }
}
