# Tables and buckets: how they are paid, how long they keep what they hold, what protects it.

variable "data_lifecycle_rules" {
  description = "What happens to data as it ages, by the rule's name (see the bucket module). Raw and archived events stay for ever unless a rule says otherwise; raw must outlive the commit rows that point into it."
  type = map(object({
    prefix                     = string
    expiration_days            = optional(number, 0)
    noncurrent_expiration_days = optional(number, 0)
    transitions                = optional(map(number), {})
  }))
  nullable = false
  default = {
    raw        = { prefix = "raw/", transitions = { STANDARD_IA = 90 } }
    enriched   = { prefix = "enriched/", expiration_days = 30, noncurrent_expiration_days = 1 }
    quarantine = { prefix = "quarantine/", expiration_days = 365, noncurrent_expiration_days = 30 }
    athena     = { prefix = "athena/", expiration_days = 7, noncurrent_expiration_days = 1 }
  }

  validation {
    condition     = alltrue([for rule in values(var.data_lifecycle_rules) : can(regex("^[a-z_]+/", rule.prefix))])
    error_message = "A rule holds for a prefix as in \"raw/\": none of them holds for the whole bucket, which keeps the definitions that old events were counted by."
  }

  validation {
    condition = alltrue([
      for rule in values(var.data_lifecycle_rules) :
      rule.expiration_days == 0 || !contains(["config", "definitions"], split("/", rule.prefix)[0])
    ])
    error_message = "Objects below config/ and definitions/ never expire: what was counted by them could not be explained any more."
  }

  # A dead letter keeps the age of its message: 14 days in all, and a day to spare.
  validation {
    condition = alltrue([
      for rule in values(var.data_lifecycle_rules) :
      rule.expiration_days == 0 || rule.expiration_days >= 15 || !startswith(rule.prefix, "enriched/")
    ])
    error_message = "Enriched objects outlive the messages that name them, dead letters too: they expire after 15 days or more, or never (0)."
  }

  validation {
    condition = alltrue([
      for rule in values(var.data_lifecycle_rules) :
      rule.expiration_days >= 0 && rule.noncurrent_expiration_days >= 0
      && alltrue([for days in values(rule.transitions) : days >= 0])
    ])
    error_message = "The days of a lifecycle rule are 0 (never) or more."
  }
}

variable "billing_mode" {
  description = "How tables are paid: PAY_PER_REQUEST, or PROVISIONED with table_capacity."
  type        = string
  nullable    = false
  default     = "PAY_PER_REQUEST"

  validation {
    condition     = contains(["PAY_PER_REQUEST", "PROVISIONED"], var.billing_mode)
    error_message = "The billing mode is PAY_PER_REQUEST or PROVISIONED."
  }
}

variable "table_capacity" {
  description = "Units a second of each table, for the billing mode PROVISIONED."
  type = object({
    commits     = optional(object({ read = optional(number, 5), write = optional(number, 25) }), {})
    gate        = optional(object({ read = optional(number, 5), write = optional(number, 1000) }), {})
    event_index = optional(object({ read = optional(number, 50), write = optional(number, 100) }), {})
    aggregates  = optional(object({ read = optional(number, 5), write = optional(number, 200) }), {})
    markers     = optional(object({ read = optional(number, 5), write = optional(number, 100) }), {})
    assignments = optional(object({ read = optional(number, 100), write = optional(number, 5) }), {})
    experiments = optional(object({ read = optional(number, 5), write = optional(number, 5) }), {})
    manifests   = optional(object({ read = optional(number, 5), write = optional(number, 25) }), {})
    replays     = optional(object({ read = optional(number, 5), write = optional(number, 25) }), {})
    audit       = optional(object({ read = optional(number, 5), write = optional(number, 5) }), {})
    notes       = optional(object({ read = optional(number, 5), write = optional(number, 25) }), {})
  })
  nullable = false
  default  = {}
}

variable "point_in_time_recovery" {
  description = "Whether tables can be restored to any second of the last 35 days."
  type        = bool
  nullable    = false
  default     = true
}

variable "deletion_protection" {
  description = "Whether DynamoDB refuses to delete the tables."
  type        = bool
  nullable    = false
  default     = true
}

variable "force_destroy" {
  description = "Whether destroying the pipeline destroys the objects in its buckets."
  type        = bool
  nullable    = false
  default     = false

  validation {
    condition     = !(var.force_destroy && var.deletion_protection)
    error_message = "force_destroy and deletion_protection contradict each other: set one of them."
  }
}
