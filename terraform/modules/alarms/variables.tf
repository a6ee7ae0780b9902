variable "name" {
  description = "First part of the names of topic and alarms."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,38}[a-z0-9]$", var.name))
    error_message = "The name has 3 to 40 characters out of a-z, 0-9 and '-', begins with a letter and does not end with '-'."
  }
}

variable "account" {
  description = "Where the topic is: it is named in its own policy."
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

variable "metrics_namespace" {
  description = "Namespace of the pipeline's own metrics, which tells one stack of an account from another."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._/#-]{1,255}$", var.metrics_namespace)) && !startswith(var.metrics_namespace, "AWS/")
    error_message = "A namespace has 1 to 255 letters, digits, '.', '_', '/', '#' and '-', and does not begin with AWS/."
  }
}

variable "functions" {
  description = "Names of the functions to watch, by service; ingest among them."
  type        = map(string)
  nullable    = false

  validation {
    condition     = contains(keys(var.functions), "ingest")
    error_message = "The functions contain ingest, which reads the stream."
  }
}

variable "dead_letter_queues" {
  description = "Names of the dead-letter queues to watch, by the queue whose messages failed."
  type        = map(string)
  nullable    = false
}

variable "thresholds" {
  description = "From which figure on each alarm rings. iterator_age_s: 15 minutes of lag are no burst any more, and the shortest retention (a day) leaves 23 hours to act. dead_letters, discarded_batches, failed_replays: 1, as nothing but a person ever works on them. function_errors in 5 minutes: an asynchronous call is tried three times, so 3 is one that failed for good, and fewer are repaired by the next attempt. function_throttles in 5 minutes: Lambda tries again, 10 are no burst. residue_age_s: longer than the five attempts of six minutes after which a message is a dead letter. rejected_percent of at least rejects_judged_from records in 5 minutes: some bad records are every day's business, one in twenty is a producer's. export_runs: one run may meet an hour that is not settled, two in a row do not."
  type = object({
    iterator_age_s      = optional(number, 900)
    dead_letters        = optional(number, 1)
    discarded_batches   = optional(number, 1)
    function_errors     = optional(number, 3)
    function_throttles  = optional(number, 10)
    residue_age_s       = optional(number, 2400)
    rejected_percent    = optional(number, 5)
    rejects_judged_from = optional(number, 100)
    export_runs         = optional(number, 2)
    failed_replays      = optional(number, 1)
  })
  nullable = false
  default  = {}

  validation {
    condition = alltrue([
      for threshold in [
        var.thresholds.iterator_age_s, var.thresholds.dead_letters, var.thresholds.discarded_batches, var.thresholds.function_errors,
        var.thresholds.function_throttles, var.thresholds.residue_age_s, var.thresholds.rejects_judged_from,
        var.thresholds.failed_replays,
      ] : threshold >= 1 && floor(threshold) == threshold
    ])
    error_message = "A threshold is a whole number, 1 or more: from 0 on an alarm rings always."
  }

  validation {
    condition     = var.thresholds.rejected_percent > 0 && var.thresholds.rejected_percent <= 100
    error_message = "rejected_percent is above 0 and at most 100."
  }

  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html: for
  # periods of an hour, seven days at most.
  validation {
    condition     = var.thresholds.export_runs >= 1 && var.thresholds.export_runs <= 24 && floor(var.thresholds.export_runs) == var.thresholds.export_runs
    error_message = "export_runs is a whole number of hourly runs, 1 to 24."
  }

  validation {
    condition     = var.thresholds.iterator_age_s <= var.stream_retention_h * 1800
    error_message = "iterator_age_s is at most half of the stream's retention (${var.stream_retention_h} hours): else the alarm leaves no time to act."
  }

  validation {
    condition     = var.thresholds.residue_age_s > var.tried_for_s
    error_message = "residue_age_s is longer than a message of enrich, aggregate or archive is tried (visibility_timeout_s times max_receive_count, ${var.tried_for_s} s): else it rings for what still gets done."
  }
}

variable "stream_retention_h" {
  description = "Hours for which the stream keeps a record: what iterator-age must ring well before."
  type        = number
  nullable    = false
}

variable "tried_for_s" {
  description = "Longest time for which a commit's message is tried before it is a dead letter: what residue must not ring within."
  type        = number
  nullable    = false
}

variable "emails" {
  description = "Addresses that get each alarm by mail, once they have confirmed it."
  type        = list(string)
  nullable    = false
  default     = []

  validation {
    condition     = alltrue([for email in var.emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s.]+$", email))])
    error_message = "An address to mail alarms to looks like ann@example.com."
  }
}

variable "actions" {
  description = "ARNs of what else each alarm tells, when it rings and when it is over: topics, functions, incident plans."
  type        = list(string)
  nullable    = false
  default     = []

  validation {
    condition     = length(var.actions) <= 4 && alltrue([for action in var.actions : startswith(action, "arn:")])
    error_message = "An alarm's actions are given by ARN, four at most: CloudWatch takes five, and the topic is one."
  }
}

variable "repository_url" {
  description = "Where docs/runbooks is to be read, as in https://example.com/millrace/blob/main/; empty for the path alone."
  type        = string
  nullable    = false
  default     = ""

  validation {
    condition     = var.repository_url == "" || can(regex("^https://[^\\s]+/$", var.repository_url))
    error_message = "The repository's address begins with https:// and ends with '/', or is empty."
  }
}

variable "enforce_tls" {
  description = "Whether the topic refuses what is published in the clear. Off only where the endpoint has no TLS."
  type        = bool
  nullable    = false
  default     = true
}

variable "kms_key_arn" {
  description = "KMS key for the topic; empty for none. Its policy must let cloudwatch.amazonaws.com use it (kms:Decrypt, kms:GenerateDataKey*)."
  type        = string
  nullable    = false
  default     = ""

  validation {
    condition     = var.kms_key_arn == "" || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "The KMS key is given by its ARN (arn:...:kms:...:key/...), or is empty."
  }
}
