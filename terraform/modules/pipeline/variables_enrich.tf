# What enrich keeps in memory, and how it writes the index.

variable "assignment_cache" {
  description = "What enrich keeps of assignments and experiments: for how long, for how long that there is none, and how many at most."
  type = object({
    ttl_s         = optional(number, 60)
    absence_ttl_s = optional(number, 10)
    assignments   = optional(number, 20000)
    experiments   = optional(number, 1000)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.assignment_cache.ttl_s >= 0 && floor(var.assignment_cache.ttl_s) == var.assignment_cache.ttl_s && var.assignment_cache.absence_ttl_s >= 0 && floor(var.assignment_cache.absence_ttl_s) == var.assignment_cache.absence_ttl_s
    error_message = "The cache's times are whole seconds, 0 or more; 0 keeps nothing."
  }

  validation {
    condition     = var.assignment_cache.assignments >= 100 && var.assignment_cache.assignments <= 1000000 && var.assignment_cache.experiments >= 10 && var.assignment_cache.experiments <= 10000
    error_message = "The cache holds 100 to 1000000 assignments and 10 to 10000 experiments."
  }
}

variable "index_buckets" {
  description = "Partitions over which the entities of one event day are spread in the index. More make reading an entity's day cheaper and writing small commits dearer; 16 suits commits of 500 to 1,000 events. A new value holds for event days that are not indexed yet."
  type        = number
  nullable    = false
  default     = 16

  validation {
    condition     = var.index_buckets >= 1 && var.index_buckets <= 1024 && floor(var.index_buckets) == var.index_buckets
    error_message = "There are 1 to 1024 index buckets."
  }
}
