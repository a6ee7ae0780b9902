# What a producer may do: attach one of these policies to its role or user. Nothing else is needed to
# send, and neither allows to read.

locals {
  producer_statements = {
    # https://docs.aws.amazon.com/streams/latest/dev/controlling-access.html
    stream = merge(
      { Put = { actions = ["kinesis:PutRecord", "kinesis:PutRecords"], resources = [local.stream_arn] } },
      # https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html
      { for key in compact([var.kms_key_arn]) : "Encrypt" => { actions = ["kms:GenerateDataKey"], resources = [key] } },
    )
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html
    api = {
      Send = {
        actions   = ["execute-api:Invoke"]
        resources = ["${module.http_api.execution_arn}/*/POST/ingest"] # any stage: there is one
      }
    }
  }

  producer_descriptions = {
    stream = "Put records on ${local.stream_name}"
    api    = "Send events to ${var.name_prefix}'s POST /ingest"
  }
}

data "aws_iam_policy_document" "producer" {
  for_each = local.producer_statements

  dynamic "statement" {
    for_each = each.value
    content {
      sid       = statement.key
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }
}

resource "aws_iam_policy" "producer" {
  for_each = local.producer_statements

  name        = "${var.name_prefix}-producer-${each.key}"
  description = local.producer_descriptions[each.key]
  policy      = data.aws_iam_policy_document.producer[each.key].json
}
