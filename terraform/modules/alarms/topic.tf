# The topic. Who listens confirms by mail, or is named by ARN (var.actions).

data "aws_iam_policy_document" "topic" {
  # https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
  statement {
    sid       = "PublishAlarms"
    actions   = ["sns:Publish"]
    resources = [local.topic_arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account.id]
    }
  }

  dynamic "statement" {
    for_each = var.enforce_tls ? [local.topic_arn] : []
    content {
      sid       = "DenyInsecureTransport"
      effect    = "Deny"
      actions   = ["sns:Publish"]
      resources = [statement.value]

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
}

locals {
  topic_name = "${var.name}-alarms"
  topic_arn  = "arn:${var.account.partition}:sns:${var.account.region}:${var.account.id}:${local.topic_name}"
}

resource "aws_sns_topic" "this" {
  #checkov:skip=CKV_AWS_26:alarms cannot publish under AWS's own key for SNS, whose policy knows no CloudWatch; kms_key_arn is used if it is given
  name              = local.topic_name
  display_name      = "Alarms of ${var.name}"
  kms_master_key_id = var.kms_key_arn == "" ? null : var.kms_key_arn
  policy            = data.aws_iam_policy_document.topic.json
}

resource "aws_sns_topic_subscription" "email" {
  for_each = toset(var.emails)

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.value
}
