# What ingest takes, refuses and remembers; watch looks after what it left.

variable "max_event_bytes" {
  description = "Largest event; a larger one is quarantined."
  type        = number
  nullable    = false
  default     = 1048576

  validation {
    condition     = var.max_event_bytes >= 1024 && var.max_event_bytes <= 10485760
    error_message = "The largest event has 1024 to 10485760 bytes (the largest record of Kinesis)."
  }
}

variable "max_future_skew_s" {
  description = "Seconds by which an event's time may be ahead of its arrival before it is quarantined."
  type        = number
  nullable    = false
  default     = 300

  validation {
    condition     = var.max_future_skew_s >= 0
    error_message = "The skew is 0 seconds or more."
  }
}

variable "allowed_lateness_s" {
  description = "How far behind its source's highest event time an event may be before it counts as late."
  type        = number
  nullable    = false
  default     = 3600

  validation {
    condition     = var.allowed_lateness_s >= 0
    error_message = "allowed_lateness_s is 0 or more."
  }
}

variable "max_rejected_share" {
  description = "Above this share of a batch, rejections are an incident (metric BatchesMostlyRejected), not some bad records."
  type        = number
  nullable    = false
  default     = 0.5

  validation {
    condition     = var.max_rejected_share >= 0 && var.max_rejected_share <= 1
    error_message = "max_rejected_share is a share: from 0 to 1."
  }
}

variable "gate_ttl_days" {
  description = "Days for which an event is known by its id: a duplicate that comes later is taken for a new event."
  type        = number
  nullable    = false
  default     = 30

  validation {
    condition     = var.gate_ttl_days >= 1
    error_message = "An event is remembered for a day or more."
  }
}

variable "commit_reserve_s" {
  description = "Seconds of an ingest invocation that are kept for its commit: past it no new work is begun."
  type        = number
  nullable    = false
  default     = 10

  validation {
    condition     = var.commit_reserve_s >= 1 && var.commit_reserve_s < var.functions.ingest.timeout_s
    error_message = "commit_reserve_s is at least 1 and less than ingest's timeout: else nothing is ever begun."
  }
}

variable "overdue_after_s" {
  description = "How long a reference may stay unsent before watch sends it: longer than an ingest batch can take."
  type        = number
  nullable    = false
  default     = 300

  validation {
    condition     = var.overdue_after_s >= var.functions.ingest.timeout_s
    error_message = "overdue_after_s is at least ingest's timeout: else watch sends what a running batch is about to send."
  }
}
