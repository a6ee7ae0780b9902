variable "name_prefix" {
  description = "First part of the names of all resources."
  type        = string
  nullable    = false
  default     = "millrace-local"
}

variable "region" {
  description = "Region that the engine plays."
  type        = string
  nullable    = false
  default     = "us-east-1"
}

variable "artifacts_dir" {
  description = "Folder of the zips built for this machine's interpreter."
  type        = string
  nullable    = false
  default     = "../../../dist"
}

variable "metrics_file" {
  description = "Metric definitions (TOML)."
  type        = string
  nullable    = false
  default     = "../../metrics/local.toml"
}

variable "timeout_s" {
  description = "Timeout of the functions and, as nothing is throttled here, visibility timeout of their queues: the wait before a failed message is tried again."
  type        = number
  nullable    = false
  default     = 30
}
