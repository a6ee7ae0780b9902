# The queues, and how they feed their functions.

variable "queues" {
  description = "How each service is fed from its queue, watch from that of discarded batches (failures), and enrich also from that of replays, whose maximum_concurrency bounds what replays take from live traffic; 0 sets no bound. A batch of more than 10 messages needs a batch_window_s of 1 or more."
  type = object({
    enrich = optional(object({
      visibility_timeout_s = optional(number, 360)
      max_receive_count    = optional(number, 5)
      batch_size           = optional(number, 10)
      batch_window_s       = optional(number, 0)
      maximum_concurrency  = optional(number, 10)
    }), {})
    aggregate = optional(object({
      visibility_timeout_s = optional(number, 360)
      max_receive_count    = optional(number, 5)
      batch_size           = optional(number, 10)
      batch_window_s       = optional(number, 0)
      maximum_concurrency  = optional(number, 10)
    }), {})
    archive = optional(object({
      visibility_timeout_s = optional(number, 360)
      max_receive_count    = optional(number, 5)
      batch_size           = optional(number, 10)
      batch_window_s       = optional(number, 0)
      maximum_concurrency  = optional(number, 10)
    }), {})
    replay = optional(object({
      visibility_timeout_s = optional(number, 366)
      max_receive_count    = optional(number, 5)
      batch_size           = optional(number, 500)
      batch_window_s       = optional(number, 1)
      maximum_concurrency  = optional(number, 5)
    }), {})
    failures = optional(object({
      visibility_timeout_s = optional(number, 360)
      max_receive_count    = optional(number, 5)
      batch_size           = optional(number, 10)
      batch_window_s       = optional(number, 0)
      maximum_concurrency  = optional(number, 2)
    }), {})
    replay_work = optional(object({
      visibility_timeout_s = optional(number, 360)
      max_receive_count    = optional(number, 5)
      batch_size           = optional(number, 1)
      batch_window_s       = optional(number, 0)
      maximum_concurrency  = optional(number, 2)
    }), {})
  })
  nullable = false
  default  = {}

  validation {
    condition = alltrue([
      for name, queue in var.queues :
      queue.visibility_timeout_s >= var.visibility_timeout_ratio * var.functions[local.queue_functions[name]].timeout_s
    ])
    error_message = "A queue's visibility timeout is at least ${var.visibility_timeout_ratio} times its function's timeout: else a message comes back while it is being worked on."
  }
}

variable "visibility_timeout_ratio" {
  description = "Least ratio of a queue's visibility timeout to its function's timeout. AWS asks for 6, as throttled calls are tried again; 1 lets failures return soon where nothing is throttled."
  type        = number
  nullable    = false
  default     = 6

  validation {
    condition     = var.visibility_timeout_ratio >= 1
    error_message = "The ratio is 1 or more: SQS mappings refuse a visibility timeout below the function's timeout."
  }
}
