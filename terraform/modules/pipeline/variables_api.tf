# The HTTP API.

variable "api_throttling" {
  description = "Requests a second that the HTTP API takes over time (rate) and at once (burst): a request holds up to 500 events, a shard takes 1000 records a second."
  type = object({
    rate  = optional(number, 100)
    burst = optional(number, 200)
  })
  nullable = false
  default  = {}
}

variable "max_body_bytes" {
  description = "Largest body of a request to the HTTP API, decoded: bounds what a small gzip body can grow to."
  type        = number
  nullable    = false
  default     = 10485760

  validation {
    condition     = var.max_body_bytes >= var.max_event_bytes && var.max_body_bytes <= 104857600
    error_message = "The largest body holds the largest event, and its function's memory holds it several times: max_event_bytes to 104857600 bytes."
  }
}
