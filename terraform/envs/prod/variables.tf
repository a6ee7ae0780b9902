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

variable "kms_key_arn" {
  description = "KMS key for everything that is stored; empty for AWS's own keys. Its policy must let CloudWatch Logs, CloudWatch and S3 use it."
  type        = string
  nullable    = false
  default     = ""
}

variable "alarm_emails" {
  description = "Addresses that get each alarm by mail, once they have confirmed it."
  type        = list(string)
  nullable    = false
  default     = []
}
