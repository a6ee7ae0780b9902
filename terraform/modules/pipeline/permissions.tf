# What each function may do: these actions on these resources, and (in the function module) its own
# logs. TransactWriteItems is authorised by the actions of its items.

locals {
  # What the data bucket holds, by kind.
  objects = merge(
    { for kind in ["archive", "config", "definitions", "enriched", "quarantine", "raw", "replays"] : kind => "${local.data_arn}/${kind}/*" },
    { discarded = "${local.data_arn}/${local.discarded_prefix}*" },
  )

  unfinished_arn = "${local.table_arns.commits}/index/unfinished"

  consume = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]

  # Without it S3 answers for a missing object as for a forbidden one.
  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
  tell_missing = { actions = ["s3:ListBucket"], resources = [local.data_arn] }

  # Why a message failed, for whoever finds it as a dead letter.
  note_failures = { actions = ["dynamodb:BatchWriteItem"], resources = [local.table_arns.notes] }

  # That a stage is done with a commit.
  mark_commit = { actions = ["dynamodb:GetItem", "dynamodb:UpdateItem"], resources = [local.table_arns.commits] }

  permissions = {
    ingest = {
      ReadStream = {
        actions   = ["kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
        resources = [local.stream_arn]
      }
      Commit = { actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"], resources = [local.table_arns.commits] }
      # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
      PassGate = { actions = ["dynamodb:BatchGetItem", "dynamodb:PartiQLInsert", "dynamodb:PutItem"], resources = [local.table_arns.gate] }
      Store    = { actions = ["s3:PutObject"], resources = [local.objects.raw, local.objects.quarantine] }
      # The mapping gives a batch up with this role's rights.
      # https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
      GiveUp      = { actions = ["s3:PutObject"], resources = [local.objects.discarded] }
      TellMissing = local.tell_missing
      Repair      = { actions = ["s3:GetObject"], resources = [local.objects.discarded] }
      Refer       = { actions = ["sqs:SendMessage"], resources = [local.queue_arns.enrich] }
    }

    enrich = {
      Consume         = { actions = local.consume, resources = [local.queue_arns.enrich, local.queue_arns.replay] }
      NoteFailures    = local.note_failures
      Mark            = local.mark_commit
      ReadAssignments = { actions = ["dynamodb:BatchGetItem"], resources = [local.table_arns.assignments] }
      ReadExperiments = { actions = ["dynamodb:BatchGetItem"], resources = [local.table_arns.experiments] }
      Index           = { actions = ["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:PutItem"], resources = [local.table_arns.event_index] }
      FollowReplay    = { actions = ["dynamodb:GetItem", "dynamodb:PutItem"], resources = [local.table_arns.replays] }
      TellMissing     = local.tell_missing
      Load            = { actions = ["s3:GetObject"], resources = [local.objects.raw, local.objects.enriched, local.objects.config, local.objects.definitions] }
      Store           = { actions = ["s3:PutObject"], resources = [local.objects.enriched, local.objects.definitions] }
      Refer           = { actions = ["sqs:SendMessage"], resources = [local.queue_arns.aggregate, local.queue_arns.archive] }
    }

    aggregate = {
      Consume      = { actions = local.consume, resources = [local.queue_arns.aggregate] }
      NoteFailures = local.note_failures
      Mark         = local.mark_commit
      Count        = { actions = ["dynamodb:BatchGetItem", "dynamodb:UpdateItem"], resources = [local.table_arns.aggregates] }
      MarkUnique   = { actions = ["dynamodb:BatchGetItem", "dynamodb:PartiQLInsert"], resources = [local.table_arns.markers] }
      MarkReplayed = { actions = ["dynamodb:GetItem", "dynamodb:UpdateItem"], resources = [local.table_arns.markers] }
      FollowReplay = { actions = ["dynamodb:PutItem", "dynamodb:UpdateItem"], resources = [local.table_arns.replays] }
      TellMissing  = local.tell_missing
      Load         = { actions = ["s3:GetObject"], resources = [local.objects.enriched, local.objects.definitions] }
    }

    archive = {
      Consume      = { actions = local.consume, resources = [local.queue_arns.archive] }
      NoteFailures = local.note_failures
      Mark         = local.mark_commit
      List         = { actions = ["dynamodb:BatchWriteItem"], resources = [local.table_arns.manifests] }
      TellMissing  = local.tell_missing
      Load         = { actions = ["s3:GetObject"], resources = [local.objects.enriched] }
      Store        = { actions = ["s3:PutObject", "s3:PutObjectTagging"], resources = [local.objects.archive] }
    }

    export = {
      SeeStream   = { actions = ["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"], resources = [local.stream_arn] }
      SeeCommits  = { actions = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"], resources = [local.table_arns.commits, local.unfinished_arn] }
      List        = { actions = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], resources = [local.table_arns.manifests] }
      TellMissing = { actions = local.tell_missing.actions, resources = concat(local.tell_missing.resources, local.client_bucket_arns) }
      Load        = { actions = ["s3:GetObject"], resources = [local.objects.archive] }
      Write = {
        actions   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
        resources = [for arn in concat([local.data_arn], local.client_bucket_arns) : "${arn}/clients/*"]
      }
    }

    replay = {
      Consume      = { actions = local.consume, resources = [local.queue_arns.replay_work] }
      NoteFailures = local.note_failures
      Wake         = { actions = ["sqs:SendMessage"], resources = [local.queue_arns.replay_work] }
      Send         = { actions = ["sqs:GetQueueAttributes", "sqs:SendMessage"], resources = concat([local.queue_arns.replay], var.replay.target_queue_arns) }
      Keep         = { actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], resources = [local.table_arns.replays] }
      SeeLiveLag   = { actions = ["dynamodb:Query"], resources = [local.unfinished_arn] }
      TellMissing  = local.tell_missing
      Load         = { actions = ["s3:GetObject"], resources = [local.objects.replays] }
    }

    watch = {
      ListShards    = { actions = ["kinesis:ListShards"], resources = [local.stream_arn] }
      Consume       = { actions = local.consume, resources = [local.queue_arns.failures] }
      TellMissing   = local.tell_missing
      ReadDiscarded = { actions = ["s3:GetObject"], resources = [local.objects.discarded] }
      NoteFailures  = local.note_failures
      NoteDiscarded = { actions = ["dynamodb:PutItem"], resources = [local.table_arns.commits] }
      Sweep         = { actions = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"], resources = [local.table_arns.commits, local.unfinished_arn] }
      Refer         = { actions = ["sqs:SendMessage"], resources = [local.queue_arns.enrich] }
    }

    ingest_api = {
      Queue = { actions = ["kinesis:PutRecords"], resources = [local.stream_arn] }
    }

    replay_api = {
      Select      = { actions = ["dynamodb:BatchGetItem", "dynamodb:Query"], resources = [local.table_arns.event_index] }
      Locate      = { actions = ["dynamodb:GetItem"], resources = [local.table_arns.commits] }
      Keep        = { actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], resources = [local.table_arns.replays] }
      TellMissing = local.tell_missing
      Load        = { actions = ["s3:GetObject"], resources = [local.objects.config] }
      Store       = { actions = ["s3:PutObject"], resources = [local.objects.definitions, local.objects.replays] }
      Wake        = { actions = ["sqs:SendMessage"], resources = [local.queue_arns.replay_work] }
    }

    operator_api = {
      TakeDeadLetters = { actions = local.consume, resources = values(local.dead_letter_arns) }
      SendBack        = { actions = ["sqs:SendMessage"], resources = values(local.queue_arns) }
      ReadNotes       = { actions = ["dynamodb:BatchGetItem"], resources = [local.table_arns.notes] }
      KeepAudit       = { actions = ["dynamodb:PutItem"], resources = [local.table_arns.audit] }
    }

    # Reads, and nothing else.
    investigate = {
      SeeStream = {
        actions   = ["kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
        resources = [local.stream_arn]
      }
      # It can lose none: it may not delete, and a dead letter has no receive limit.
      SeeDeadLetters = { actions = ["sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], resources = values(local.dead_letter_arns) }
      ReadNotes      = { actions = ["dynamodb:BatchGetItem"], resources = [local.table_arns.notes] }
      SeeServices    = { actions = ["lambda:GetFunctionConcurrency", "lambda:GetFunctionConfiguration"], resources = values(local.function_arns) }
      SeeSchedules = {
        actions   = ["events:DescribeRule"]
        resources = [for rule in values(local.schedule_names) : "${local.arn_start}:events:${local.arn_place}:rule/${rule}"]
      }
      # Neither knows resources.
      # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
      # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
      SeeMappingsAndCalls = { actions = ["cloudwatch:GetMetricData", "lambda:ListEventSourceMappings"], resources = ["*"] }
      ReadCommits         = { actions = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"], resources = [local.table_arns.commits] }
      SeeUnfinished       = { actions = ["dynamodb:Query"], resources = [local.unfinished_arn] }
      FindOwner           = { actions = ["dynamodb:GetItem"], resources = [local.table_arns.gate] }
      ReadIndex           = { actions = ["dynamodb:BatchGetItem", "dynamodb:Query"], resources = [local.table_arns.event_index] }
      ReadReplays         = { actions = ["dynamodb:GetItem", "dynamodb:Query"], resources = [local.table_arns.replays] }
      ReadRows            = { actions = ["dynamodb:Query"], resources = [local.table_arns.aggregates, local.table_arns.manifests] }
      TellMissing         = local.tell_missing
      Load = {
        actions   = ["s3:GetObject"]
        resources = [for kind in ["archive", "definitions", "discarded", "enriched", "quarantine", "raw", "replays"] : local.objects[kind]]
      }
    }
  }
}

data "aws_iam_policy_document" "function" {
  for_each = local.permissions

  dynamic "statement" {
    for_each = each.value
    content {
      sid       = statement.key
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }
}
