variable "name_prefix" {
  description = "First part of the names of all resources: two stacks in one account differ in it."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region of the pipeline."
  type        = string
  nullable    = false
}

variable "account_id" {
  description = "Account of the pipeline; Terraform refuses the credentials of any other."
  type        = string
  nullable    = false
}

variable "artifacts_dir" {
  description = "Folder of the zips that scripts/deploy builds."
  type        = string
  nullable    = false
  default     = "../../../dist/lambda-x86_64"
}

variable "local_engine" {
  description = "Whether the local engine stands in for AWS: it speaks plain HTTP and knows no bucket by its host's name."
  type        = bool
  nullable    = false
  default     = false
}

variable "alarm_emails" {
  description = "Addresses that get each alarm by mail, once they have confirmed it."
  type        = list(string)
  nullable    = false
  default     = []
}
