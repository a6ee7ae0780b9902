# The rights that tests expect: by function and statement, its actions and what they are for. Written
# out, not computed from what the module computes them from.

locals {
  stream   = "arn:aws:kinesis:eu-central-1:123456789012:stream/millrace-test-events"
  table    = "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test"
  queue    = "arn:aws:sqs:eu-central-1:123456789012:millrace-test"
  function = "arn:aws:lambda:eu-central-1:123456789012:function:millrace-test"
  data     = "arn:aws:s3:::millrace-test-data-123456789012"

  consume    = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
  services   = ["aggregate", "archive", "enrich", "export", "ingest", "ingest_api", "investigate", "operator_api", "replay", "replay_api", "watch"]
  queues     = ["enrich", "aggregate", "archive", "replay", "replay_work", "failures"]
  all_queues = [for queue in local.queues : "${local.queue}-${queue}"]
  dead       = [for queue in local.queues : "${local.queue}-${queue}-dlq"]

  # Every statement reads.
  investigator = merge(local.functions.investigate, {
    ScanCounts = ["dynamodb:Scan", "${local.table}-aggregates"]
    ReadMore   = ["dynamodb:Query", "${local.table}-aggregates/index/by_version", "${local.table}-audit", "${local.table}-markers"]
    SeeQueues  = concat(["sqs:GetQueueAttributes"], local.all_queues)
    Load       = ["s3:GetObject", "${local.data}/*"]
  })

  # What an operator may do beside that.
  operator = {
    TakeDeadLetters = concat(["sqs:CancelMessageMoveTask", "sqs:DeleteMessage", "sqs:ListMessageMoveTasks", "sqs:StartMessageMoveTask"], local.dead)
    Send            = concat(["sqs:SendMessage"], local.all_queues)
    KeepAudit       = ["dynamodb:PutItem", "${local.table}-audit"]
    StorePlan       = ["s3:PutObject", "${local.data}/definitions/*", "${local.data}/replays/*"]
    Replay          = ["dynamodb:PutItem", "dynamodb:UpdateItem", "${local.table}-replays"]
    Promote         = ["dynamodb:DeleteItem", "dynamodb:PutItem", "${local.table}-aggregates"]
    Close           = ["dynamodb:PutItem", "dynamodb:UpdateItem", "${local.table}-commits"]
    Recover         = ["kinesis:PutRecords", local.stream]
    Ask             = ["lambda:InvokeFunction", "${local.function}-ingest", "${local.function}-export"]
  }

  functions = {
    ingest = {
      ReadStream  = ["kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards", local.stream]
      Commit      = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem", "${local.table}-commits"]
      PassGate    = ["dynamodb:BatchGetItem", "dynamodb:PartiQLInsert", "dynamodb:PutItem", "${local.table}-gate"]
      Store       = ["s3:PutObject", "${local.data}/quarantine/*", "${local.data}/raw/*"]
      GiveUp      = ["s3:PutObject", "${local.data}/aws/lambda/*"]
      TellMissing = ["s3:ListBucket", local.data]
      Repair      = ["s3:GetObject", "${local.data}/aws/lambda/*"]
      Refer       = ["sqs:SendMessage", "${local.queue}-enrich"]
    }

    enrich = {
      Consume         = concat(local.consume, ["${local.queue}-enrich", "${local.queue}-replay"])
      NoteFailures    = ["dynamodb:BatchWriteItem", "${local.table}-notes"]
      Mark            = ["dynamodb:GetItem", "dynamodb:UpdateItem", "${local.table}-commits"]
      ReadAssignments = ["dynamodb:BatchGetItem", "${local.table}-assignments"]
      ReadExperiments = ["dynamodb:BatchGetItem", "${local.table}-experiments"]
      Index           = ["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:PutItem", "${local.table}-event_index"]
      FollowReplay    = ["dynamodb:GetItem", "dynamodb:PutItem", "${local.table}-replays"]
      TellMissing     = ["s3:ListBucket", local.data]
      Load            = ["s3:GetObject", "${local.data}/config/*", "${local.data}/definitions/*", "${local.data}/enriched/*", "${local.data}/raw/*"]
      Store           = ["s3:PutObject", "${local.data}/definitions/*", "${local.data}/enriched/*"]
      Refer           = ["sqs:SendMessage", "${local.queue}-aggregate", "${local.queue}-archive"]
    }

    aggregate = {
      Consume      = concat(local.consume, ["${local.queue}-aggregate"])
      NoteFailures = ["dynamodb:BatchWriteItem", "${local.table}-notes"]
      Mark         = ["dynamodb:GetItem", "dynamodb:UpdateItem", "${local.table}-commits"]
      Count        = ["dynamodb:BatchGetItem", "dynamodb:UpdateItem", "${local.table}-aggregates"]
      MarkUnique   = ["dynamodb:BatchGetItem", "dynamodb:PartiQLInsert", "${local.table}-markers"]
      MarkReplayed = ["dynamodb:GetItem", "dynamodb:UpdateItem", "${local.table}-markers"]
      FollowReplay = ["dynamodb:PutItem", "dynamodb:UpdateItem", "${local.table}-replays"]
      TellMissing  = ["s3:ListBucket", local.data]
      Load         = ["s3:GetObject", "${local.data}/definitions/*", "${local.data}/enriched/*"]
    }

    archive = {
      Consume      = concat(local.consume, ["${local.queue}-archive"])
      NoteFailures = ["dynamodb:BatchWriteItem", "${local.table}-notes"]
      Mark         = ["dynamodb:GetItem", "dynamodb:UpdateItem", "${local.table}-commits"]
      List         = ["dynamodb:BatchWriteItem", "${local.table}-manifests"]
      TellMissing  = ["s3:ListBucket", local.data]
      Load         = ["s3:GetObject", "${local.data}/enriched/*"]
      Store        = ["s3:PutObject", "s3:PutObjectTagging", "${local.data}/archive/*"]
    }

    export = {
      SeeStream   = ["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards", local.stream]
      SeeCommits  = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "${local.table}-commits", "${local.table}-commits/index/unfinished"]
      List        = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "${local.table}-manifests"]
      TellMissing = ["s3:ListBucket", "arn:aws:s3:::acme-events", local.data]
      Load        = ["s3:GetObject", "${local.data}/archive/*"]
      Write       = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject", "arn:aws:s3:::acme-events/clients/*", "${local.data}/clients/*"]
    }

    replay = {
      Consume      = concat(local.consume, ["${local.queue}-replay_work"])
      NoteFailures = ["dynamodb:BatchWriteItem", "${local.table}-notes"]
      Wake         = ["sqs:SendMessage", "${local.queue}-replay_work"]
      Send         = ["sqs:GetQueueAttributes", "sqs:SendMessage", "${local.queue}-replay"]
      Keep         = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "${local.table}-replays"]
      SeeLiveLag   = ["dynamodb:Query", "${local.table}-commits/index/unfinished"]
      TellMissing  = ["s3:ListBucket", local.data]
      Load         = ["s3:GetObject", "${local.data}/replays/*"]
    }

    watch = {
      ListShards    = ["kinesis:ListShards", local.stream]
      Consume       = concat(local.consume, ["${local.queue}-failures"])
      TellMissing   = ["s3:ListBucket", local.data]
      ReadDiscarded = ["s3:GetObject", "${local.data}/aws/lambda/*"]
      NoteFailures  = ["dynamodb:BatchWriteItem", "${local.table}-notes"]
      NoteDiscarded = ["dynamodb:PutItem", "${local.table}-commits"]
      Sweep         = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem", "${local.table}-commits", "${local.table}-commits/index/unfinished"]
      Refer         = ["sqs:SendMessage", "${local.queue}-enrich"]
    }

    ingest_api = {
      Queue = ["kinesis:PutRecords", local.stream]
    }

    replay_api = {
      Select      = ["dynamodb:BatchGetItem", "dynamodb:Query", "${local.table}-event_index"]
      Locate      = ["dynamodb:GetItem", "${local.table}-commits"]
      Keep        = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "${local.table}-replays"]
      TellMissing = ["s3:ListBucket", local.data]
      Load        = ["s3:GetObject", "${local.data}/config/*"]
      Store       = ["s3:PutObject", "${local.data}/definitions/*", "${local.data}/replays/*"]
      Wake        = ["sqs:SendMessage", "${local.queue}-replay_work"]
    }

    operator_api = {
      TakeDeadLetters = concat(local.consume, local.dead)
      SendBack        = concat(["sqs:SendMessage"], local.all_queues)
      ReadNotes       = ["dynamodb:BatchGetItem", "${local.table}-notes"]
      KeepAudit       = ["dynamodb:PutItem", "${local.table}-audit"]
    }

    investigate = {
      SeeStream           = ["kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards", local.stream]
      SeeDeadLetters      = concat(["sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], local.dead)
      ReadNotes           = ["dynamodb:BatchGetItem", "${local.table}-notes"]
      SeeServices         = concat(["lambda:GetFunctionConcurrency", "lambda:GetFunctionConfiguration"], [for service in local.services : "${local.function}-${service}"])
      SeeSchedules        = concat(["events:DescribeRule"], [for service in ["export", "watch"] : "arn:aws:events:eu-central-1:123456789012:rule/millrace-test-${service}"])
      SeeMappingsAndCalls = ["cloudwatch:GetMetricData", "lambda:ListEventSourceMappings", "*"]
      ReadCommits         = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "${local.table}-commits"]
      SeeUnfinished       = ["dynamodb:Query", "${local.table}-commits/index/unfinished"]
      FindOwner           = ["dynamodb:GetItem", "${local.table}-gate"]
      ReadIndex           = ["dynamodb:BatchGetItem", "dynamodb:Query", "${local.table}-event_index"]
      ReadReplays         = ["dynamodb:GetItem", "dynamodb:Query", "${local.table}-replays"]
      ReadRows            = ["dynamodb:Query", "${local.table}-aggregates", "${local.table}-manifests"]
      TellMissing         = ["s3:ListBucket", local.data]
      Load                = ["s3:GetObject", "${local.data}/archive/*", "${local.data}/aws/lambda/*", "${local.data}/definitions/*", "${local.data}/enriched/*", "${local.data}/quarantine/*", "${local.data}/raw/*", "${local.data}/replays/*"]
    }
  }
}

output "functions" {
  value = { for function, rights in local.functions : function => { for statement, words in rights : statement => sort(words) } }
}

output "investigator" {
  value = { for statement, words in local.investigator : statement => sort(words) }
}

output "operator" {
  value = { for statement, words in local.operator : statement => sort(words) }
}
