# What every stack is told: which one, where, and what it is made of. Each topic has a file of its own,
# variables_<topic>.tf.
#
# A value that goes to one resource is judged by the module that owns that resource, and here only for
# how it fits other values; what goes to many resources is judged here, so that it is refused once.

variable "name_prefix" {
  description = "First part of the names of all resources: two stacks in one account differ in it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,38}[a-z0-9]$", var.name_prefix))
    error_message = "The name prefix has 3 to 40 characters out of a-z, 0-9 and '-', begins with a letter and does not end with '-'."
  }
}

variable "region" {
  description = "Region of the pipeline, the same as the provider's."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A region looks like us-east-1."
  }
}

variable "account_id" {
  description = "Account of the pipeline. Told rather than looked up, so that a plan needs no AWS."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account id has 12 digits."
  }
}

variable "artifacts_dir" {
  description = "Folder of the zips (<service>.zip) that 'make build' makes."
  type        = string
  nullable    = false

  validation {
    condition     = fileexists("${var.artifacts_dir}/ingest.zip")
    error_message = "There are no zips in ${var.artifacts_dir}: run 'make build' first."
  }
}

variable "metrics_file" {
  description = "Metric definitions (TOML); terraform/metrics has examples."
  type        = string
  nullable    = false

  validation {
    condition     = fileexists(var.metrics_file) && endswith(var.metrics_file, ".toml")
    error_message = "There is no TOML file at ${var.metrics_file}: name the metric definitions."
  }
}
