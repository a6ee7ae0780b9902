# Encryption, network, and what buckets and queues refuse.

variable "kms_key_arn" {
  description = "KMS key for stream, buckets, tables, queues, settings and logs; empty for AWS's own keys. Its policy must let CloudWatch Logs, CloudWatch and S3 use it."
  type        = string
  nullable    = false
  default     = ""

  validation {
    condition     = var.kms_key_arn == "" || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "The KMS key is given by its ARN (arn:...:kms:...:key/...), or is empty."
  }
}

variable "vpc_config" {
  description = "Subnets and security groups in which all functions run; empty for Lambda's own network. The subnets must reach S3, DynamoDB, SQS, Kinesis and CloudWatch Logs: by endpoints of the VPC, or by NAT."
  type = object({
    subnet_ids         = optional(list(string), [])
    security_group_ids = optional(list(string), [])
  })
  nullable = false
  default  = {}

  validation {
    condition     = (length(var.vpc_config.subnet_ids) > 0) == (length(var.vpc_config.security_group_ids) > 0)
    error_message = "A VPC needs both: one subnet or more, and one security group or more."
  }

  validation {
    condition = alltrue(concat(
      [for id in var.vpc_config.subnet_ids : startswith(id, "subnet-")],
      [for id in var.vpc_config.security_group_ids : startswith(id, "sg-")],
    ))
    error_message = "Subnets are named by id (subnet-...), and so are security groups (sg-...)."
  }
}

variable "enforce_tls" {
  description = "Whether buckets and queues refuse requests in the clear. Off only where the endpoint has no TLS."
  type        = bool
  nullable    = false
  default     = true
}

variable "enforce_if_none_match" {
  description = "Whether the data bucket refuses to overwrite raw, enriched and archived objects. Off only where the endpoint does not know the condition key s3:if-none-match."
  type        = bool
  nullable    = false
  default     = true
}
