variable "bucket" {
  description = "Name of the bucket."
  type        = string
  nullable    = false
}

variable "environment" {
  description = "Environment whose states the bucket holds; a tag."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region of the bucket."
  type        = string
  nullable    = false
}

variable "account_id" {
  description = "Account of the bucket; Terraform refuses the credentials of any other."
  type        = string
  nullable    = false
}

variable "kms_key_arn" {
  description = "KMS key that encrypts the states; empty for S3's own keys (AES256)."
  type        = string
  nullable    = false
  default     = ""
}

variable "local_engine" {
  description = "Whether the local engine stands in for AWS: it speaks plain HTTP and knows no bucket by its host's name."
  type        = bool
  nullable    = false
  default     = false
}
