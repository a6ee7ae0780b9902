# Replays: when they give way to live traffic, and what they write.

variable "replay" {
  description = "When a replay gives way: the seconds that live commits wait for a stage, and the messages waiting for the processor, beyond which it sends less; how long a sent replay is left alone between two looks; queues of your own (ARNs) that replays may be sent to; and the most events that a request to the API may select."
  type = object({
    live_lag_s        = optional(number, 60)
    backlog           = optional(number, 20000)
    look_again_s      = optional(number, 15)
    target_queue_arns = optional(list(string), [])
    api_max_events    = optional(number, 50000)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.replay.live_lag_s >= 1 && floor(var.replay.live_lag_s) == var.replay.live_lag_s && var.replay.backlog >= 10 && floor(var.replay.backlog) == var.replay.backlog
    error_message = "A replay gives way at a live lag of 1 second or more and at a backlog of 10 messages or more."
  }

  validation {
    condition     = var.replay.look_again_s >= 1 && var.replay.look_again_s <= 900 && floor(var.replay.look_again_s) == var.replay.look_again_s
    error_message = "A replay is looked at every 1 to 900 seconds, the longest that a message can wait."
  }

  validation {
    condition     = var.replay.api_max_events >= 1 && floor(var.replay.api_max_events) == var.replay.api_max_events
    error_message = "A request to the API may select 1 event or more, a whole number."
  }

  validation {
    condition     = alltrue([for arn in var.replay.target_queue_arns : can(regex("^arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,80}$", arn))])
    error_message = "A replay's target is the ARN of a standard SQS queue, as arn:aws:sqs:eu-central-1:123456789012:name."
  }
}

variable "dry_run" {
  description = "Replayed events are read and computed, the counts logged, and nothing of them is written to the aggregates. Live events are processed all the same."
  type        = bool
  nullable    = false
  default     = false
}
