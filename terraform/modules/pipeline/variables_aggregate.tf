# How aggregate counts.

variable "marker_ttl_days" {
  description = "Days for which unique entities and replayed events are remembered."
  type        = number
  nullable    = false
  default     = 90

  validation {
    condition     = var.marker_ttl_days >= 30 && var.marker_ttl_days <= 3650
    error_message = "Markers are kept from 30 to 3650 days: longer than any message can still come again."
  }
}

variable "hot_scopes" {
  description = "Scopes (as 'millrace aggregates --scope' takes them: TYPE#edit) whose rows are spread over so many items each: for rows that so many references touch that transactions are refused (TransactionConflict in the aggregate function's log). Readers add them up; the list and the number may change at any time."
  type = object({
    scopes = optional(list(string), [])
    shards = optional(number, 8)
  })
  nullable = false
  default  = {}

  validation {
    condition = alltrue([
      for scope in var.hot_scopes.scopes :
      can(regex("^((TYPE|SOURCE|ENTITY|CLIENT)#.|EXPERIMENT#.+#VARIANT#.|PAYLOAD#.+#VALUE#.)", scope))
    ])
    error_message = "A hot scope is TYPE#..., SOURCE#..., ENTITY#..., CLIENT#..., EXPERIMENT#...#VARIANT#... or PAYLOAD#...#VALUE#..."
  }

  validation {
    condition     = var.hot_scopes.shards >= 1 && var.hot_scopes.shards <= 64 && floor(var.hot_scopes.shards) == var.hot_scopes.shards
    error_message = "The rows of a hot scope are spread over 1 to 64 items: a read fetches all of them."
  }
}
