# One SQS queue with its dead-letter queue.

locals {
  names = { this = var.name, dead_letter = "${var.name}-dlq" }

  # From the names: the dead-letter queue names its source, which does not exist before it.
  arns = {
    for key, name in local.names :
    key => "arn:${var.account.partition}:sqs:${var.account.region}:${var.account.id}:${name}"
  }

  told_of  = { this = var.told_of_bucket_arns, dead_letter = [] }
  policies = { for key, document in data.aws_iam_policy_document.this : key => document.json }
}

data "aws_iam_policy_document" "this" {
  for_each = { for key, arn in local.arns : key => arn if var.enforce_tls || length(local.told_of[key]) > 0 }

  dynamic "statement" {
    for_each = var.enforce_tls ? ["enforce"] : []
    content {
      sid       = "DenyInsecureTransport"
      effect    = "Deny"
      actions   = ["sqs:*"] # every action: none may travel in the clear
      resources = [each.value]

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

  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
  dynamic "statement" {
    for_each = length(local.told_of[each.key]) > 0 ? ["tell"] : []
    content {
      sid       = "TellOfObjects"
      actions   = ["sqs:SendMessage"]
      resources = [each.value]

      principals {
        type        = "Service"
        identifiers = ["s3.amazonaws.com"]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:SourceArn"
        values   = local.told_of[each.key]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [var.account.id]
      }
    }
  }
}

# Policy and redrive_allow_policy are attributes: as resources each would wait for SQS once more.
resource "aws_sqs_queue" "dead_letter" {
  name                              = local.names.dead_letter
  message_retention_seconds         = var.dead_letter_retention_s
  sqs_managed_sse_enabled           = var.kms_key_arn == "" ? true : null
  kms_master_key_id                 = var.kms_key_arn == "" ? null : var.kms_key_arn
  kms_data_key_reuse_period_seconds = var.kms_key_arn == "" ? null : 300
  policy                            = lookup(local.policies, "dead_letter", null)

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.arns.this]
  })
}

resource "aws_sqs_queue" "this" {
  name                              = local.names.this
  visibility_timeout_seconds        = var.visibility_timeout_s
  message_retention_seconds         = var.retention_s
  sqs_managed_sse_enabled           = var.kms_key_arn == "" ? true : null
  kms_master_key_id                 = var.kms_key_arn == "" ? null : var.kms_key_arn
  kms_data_key_reuse_period_seconds = var.kms_key_arn == "" ? null : 300
  policy                            = lookup(local.policies, "this", null)
}

# Apart from the queue, so that both queues are made at once: SQS refuses a redrive policy whose
# target does not exist.
resource "aws_sqs_queue_redrive_policy" "this" {
  queue_url = aws_sqs_queue.this.url

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter.arn
    maxReceiveCount     = var.max_receive_count
  })
}
