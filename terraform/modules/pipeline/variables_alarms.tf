# Who is told of what.

# modules/alarms has the thresholds' defaults, what they mean, and what it takes: null is its default.
variable "alarms" {
  description = "What rings: all of it or nothing (enabled), from which figure on, and where docs/runbooks is to be read (repository_url, https://.../), for the alarms' descriptions."
  type = object({
    enabled             = optional(bool, true)
    iterator_age_s      = optional(number)
    dead_letters        = optional(number)
    discarded_batches   = optional(number)
    function_errors     = optional(number)
    function_throttles  = optional(number)
    residue_age_s       = optional(number)
    rejected_percent    = optional(number)
    rejects_judged_from = optional(number)
    export_runs         = optional(number)
    failed_replays      = optional(number)
    repository_url      = optional(string)
  })
  nullable = false
  default  = {}
}

variable "alarm_emails" {
  description = "Addresses that get each alarm by mail, once they have confirmed it."
  type        = list(string)
  nullable    = false
  default     = []
}

variable "alarm_actions" {
  description = "ARNs of what else each alarm tells, when it rings and when it is over: topics, functions, incident plans; four at most."
  type        = list(string)
  nullable    = false
  default     = []
}
