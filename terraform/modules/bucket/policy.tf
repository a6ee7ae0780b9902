# What nobody may do in the bucket, whatever their own policy allows.

data "aws_partition" "current" {}

locals {
  arn           = "arn:${data.aws_partition.current.partition}:s3:::${var.name}"
  once_prefixes = var.enforce_if_none_match ? var.write_once_prefixes : []
  has_policy    = var.enforce_tls || length(local.once_prefixes) > 0 || length(var.undeletable_prefixes) > 0
}

data "aws_iam_policy_document" "this" {
  dynamic "statement" {
    for_each = var.enforce_tls ? ["enforce"] : []
    content {
      sid       = "DenyInsecureTransport"
      effect    = "Deny"
      actions   = ["s3:*"] # every action: none may travel in the clear
      resources = [local.arn, "${local.arn}/*"]

      principals {
        type        = "*"
        identifiers = ["*"] # everyone: this is a Deny
      }

      condition {
        test     = "Bool"
        variable = "aws:SecureTransport"
        values   = ["false"]
      }
    }
  }

  # The right to put is otherwise the right to overwrite. The parts of a multipart upload carry no
  # such header, only its completion does:
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
  dynamic "statement" {
    for_each = length(local.once_prefixes) > 0 ? ["enforce"] : []
    content {
      sid       = "DenyOverwrite"
      effect    = "Deny"
      actions   = ["s3:PutObject"]
      resources = [for prefix in local.once_prefixes : "${local.arn}/${prefix}*"]

      principals {
        type        = "*"
        identifiers = ["*"] # everyone: this is a Deny
      }

      condition {
        test     = "Null"
        variable = "s3:if-none-match"
        values   = ["true"]
      }

      condition {
        test     = "Bool"
        variable = "s3:ObjectCreationOperation"
        values   = ["true"]
      }
    }
  }

  # Lifecycle rules are not bound by this: they remove what has reached its age.
  dynamic "statement" {
    for_each = length(var.undeletable_prefixes) > 0 ? ["enforce"] : []
    content {
      sid       = "DenyDeletion"
      effect    = "Deny"
      actions   = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
      resources = [for prefix in var.undeletable_prefixes : "${local.arn}/${prefix}*"]

      principals {
        type        = "*"
        identifiers = ["*"] # everyone: this is a Deny
      }
    }
  }
}
