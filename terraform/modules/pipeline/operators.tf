# What a person may do who works with `millrace`: look (investigator), and put right (operator, who
# has both policies: together they are too long for one). Attach them to a role. Neither may change
# what the stack is made of.
#
# Both are made for the command. The HTTP API does most of it with rights of its own, for whoever may
# call a route (execute-api:Invoke on the output api_execution_arn).

locals {
  operator_rights = {
    investigator = merge(local.looking, local.using_key)
    operator     = merge(local.mending, local.using_key)
  }

  operator_descriptions = {
    investigator = "Read everything that ${var.name_prefix} knows, and change nothing"
    operator     = "Replay, redrive, repair and recover in ${var.name_prefix}: beside ${var.name_prefix}-investigator"
  }

  # What the function of the same name reads, and what the command reads beside it.
  looking = merge(local.permissions.investigate, {
    ScanCounts = { actions = ["dynamodb:Scan"], resources = [local.table_arns.aggregates] }
    ReadMore = {
      actions   = ["dynamodb:Query"]
      resources = ["${local.table_arns.aggregates}/index/by_version", local.table_arns.audit, local.table_arns.markers]
    }
    SeeQueues = { actions = ["sqs:GetQueueAttributes"], resources = values(local.queue_arns) }
    # Every object, exported files too: one by one they would not fit into a policy.
    Load = { actions = ["s3:GetObject"], resources = ["${local.data_arn}/*"] }
  })

  mending = {
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
    TakeDeadLetters = {
      actions   = ["sqs:CancelMessageMoveTask", "sqs:DeleteMessage", "sqs:ListMessageMoveTasks", "sqs:StartMessageMoveTask"]
      resources = values(local.dead_letter_arns)
    }
    # Dead letters to where they failed, and word to the worker that there is a replay.
    Send      = { actions = ["sqs:SendMessage"], resources = values(local.queue_arns) }
    KeepAudit = { actions = ["dynamodb:PutItem"], resources = [local.table_arns.audit] }
    StorePlan = { actions = ["s3:PutObject"], resources = [local.objects.definitions, local.objects.replays] }
    Replay    = { actions = ["dynamodb:PutItem", "dynamodb:UpdateItem"], resources = [local.table_arns.replays] }
    Promote   = { actions = ["dynamodb:DeleteItem", "dynamodb:PutItem"], resources = [local.table_arns.aggregates] }
    # What is given up or dropped is noted beside the commits, and so are rules of recovery.
    Close   = { actions = ["dynamodb:PutItem", "dynamodb:UpdateItem"], resources = [local.table_arns.commits] }
    Recover = { actions = ["kinesis:PutRecords"], resources = [local.stream_arn] }
    # A repair is ingest's work, an hour's files are export's.
    Ask = { actions = ["lambda:InvokeFunction"], resources = [local.function_arns.ingest, local.function_arns.export] }
  }

  using_key = { for key in compact([var.kms_key_arn]) : "UseKey" => {
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"] # as AWS lists them
    resources = [key]
  } }

  function_arns = { for service, name in local.function_names : service => "${local.arn_start}:lambda:${local.arn_place}:function:${name}" }
}

data "aws_iam_policy_document" "operator" {
  for_each = local.operator_rights

  dynamic "statement" {
    for_each = each.value
    content {
      sid       = statement.key
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }
}

resource "aws_iam_policy" "operator" {
  for_each = local.operator_rights

  name        = "${var.name_prefix}-${each.key}"
  description = local.operator_descriptions[each.key]
  policy      = data.aws_iam_policy_document.operator[each.key].json
}
