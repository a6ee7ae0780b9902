# What each function may do: all of it, and nothing else.

# The real provider writes the documents; it needs no AWS for that.
provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

variables {
  name_prefix   = "millrace-test"
  region        = "eu-central-1"
  account_id    = "123456789012"
  artifacts_dir = "tests/zips"
  metrics_file  = "../../metrics/default.toml"
}

# The one resource whose plan asks AWS for something (the account's shard limit).
override_module {
  target = module.stream
  outputs = {
    name        = "millrace-test-events"
    arn         = "arn:aws:kinesis:eu-central-1:123456789012:stream/millrace-test-events"
    incarnation = "0123abcd"
  }
}

run "ingest_may_do_its_work_and_no_more" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(data.aws_iam_policy_document.function["ingest"].json).Statement :
      statement.Sid => { actions = sort(flatten([statement.Action])), resources = sort(flatten([statement.Resource])) }
      } == {
      ReadStream = {
        actions = tolist([
          "kinesis:DescribeStream",
          "kinesis:DescribeStreamSummary",
          "kinesis:GetRecords",
          "kinesis:GetShardIterator",
          "kinesis:ListShards",
        ])
        resources = tolist([
          "arn:aws:kinesis:eu-central-1:123456789012:stream/millrace-test-events",
        ])
      }
      Commit = {
        actions = tolist([
          "dynamodb:GetItem",
          "dynamodb:PutItem",
          "dynamodb:Query",
          "dynamodb:UpdateItem",
        ])
        resources = tolist([
          "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-commits",
        ])
      }
      PassGate = {
        actions = tolist([
          "dynamodb:BatchGetItem",
          "dynamodb:PartiQLInsert",
          "dynamodb:PutItem",
        ])
        resources = tolist([
          "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-gate",
        ])
      }
      Store = {
        actions = tolist([
          "s3:PutObject",
        ])
        resources = tolist([
          "arn:aws:s3:::millrace-test-data-123456789012/quarantine/*",
          "arn:aws:s3:::millrace-test-data-123456789012/raw/*",
        ])
      }
      GiveUp = {
        actions   = tolist(["s3:PutObject"])
        resources = tolist(["arn:aws:s3:::millrace-test-data-123456789012/aws/lambda/*"])
      }
      TellMissing = {
        actions   = tolist(["s3:ListBucket"])
        resources = tolist(["arn:aws:s3:::millrace-test-data-123456789012"])
      }
      Repair = {
        actions   = tolist(["s3:GetObject"])
        resources = tolist(["arn:aws:s3:::millrace-test-data-123456789012/aws/lambda/*"])
      }
      Refer = {
        actions = tolist([
          "sqs:SendMessage",
        ])
        resources = tolist([
          "arn:aws:sqs:eu-central-1:123456789012:millrace-test-enrich",
        ])
      }
    }
    error_message = "ingest has exactly these actions on these resources"
  }
}

run "enrich_may_do_its_work_and_no_more" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(data.aws_iam_policy_document.function["enrich"].json).Statement :
      statement.Sid => { actions = sort(flatten([statement.Action])), resources = sort(flatten([statement.Resource])) }
      } == {
      Consume = {
        actions = tolist([
          "sqs:ChangeMessageVisibility",
          "sqs:DeleteMessage",
          "sqs:GetQueueAttributes",
          "sqs:ReceiveMessage",
        ])
        resources = tolist([
          "arn:aws:sqs:eu-central-1:123456789012:millrace-test-enrich",
          "arn:aws:sqs:eu-central-1:123456789012:millrace-test-replay",
        ])
      }
      NoteFailures = {
        actions   = tolist(["dynamodb:BatchWriteItem"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-notes"])
      }
      Mark = {
        actions = tolist([
          "dynamodb:GetItem",
          "dynamodb:UpdateItem",
        ])
        resources = tolist([
          "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-commits",
        ])
      }
      ReadAssignments = {
        actions = tolist([
          "dynamodb:BatchGetItem",
        ])
        resources = tolist([
          "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-assignments",
        ])
      }
      ReadExperiments = {
        actions = tolist([
          "dynamodb:BatchGetItem",
        ])
        resources = tolist([
          "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-experiments",
        ])
      }
      Index = {
        actions = tolist([
          "dynamodb:BatchGetItem",
          "dynamodb:BatchWriteItem",
          "dynamodb:PutItem",
        ])
        resources = tolist([
          "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-event_index",
        ])
      }
      FollowReplay = {
        actions = tolist([
          "dynamodb:GetItem",
          "dynamodb:PutItem",
        ])
        resources = tolist([
          "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-replays",
        ])
      }
      TellMissing = {
        actions = tolist([
          "s3:ListBucket",
        ])
        resources = tolist([
          "arn:aws:s3:::millrace-test-data-123456789012",
        ])
      }
      Load = {
        actions = tolist([
          "s3:GetObject",
        ])
        resources = tolist([
          "arn:aws:s3:::millrace-test-data-123456789012/config/*",
          "arn:aws:s3:::millrace-test-data-123456789012/definitions/*",
          "arn:aws:s3:::millrace-test-data-123456789012/enriched/*",
          "arn:aws:s3:::millrace-test-data-123456789012/raw/*",
        ])
      }
      Store = {
        actions = tolist([
          "s3:PutObject",
        ])
        resources = tolist([
          "arn:aws:s3:::millrace-test-data-123456789012/definitions/*",
          "arn:aws:s3:::millrace-test-data-123456789012/enriched/*",
        ])
      }
      Refer = {
        actions = tolist([
          "sqs:SendMessage",
        ])
        resources = tolist([
          "arn:aws:sqs:eu-central-1:123456789012:millrace-test-aggregate",
          "arn:aws:sqs:eu-central-1:123456789012:millrace-test-archive",
        ])
      }
    }
    error_message = "enrich has exactly these actions on these resources"
  }
}

run "aggregate_may_do_its_work_and_no_more" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(data.aws_iam_policy_document.function["aggregate"].json).Statement :
      statement.Sid => { actions = sort(flatten([statement.Action])), resources = sort(flatten([statement.Resource])) }
      } == {
      Consume = {
        actions = tolist([
          "sqs:ChangeMessageVisibility",
          "sqs:DeleteMessage",
          "sqs:GetQueueAttributes",
          "sqs:ReceiveMessage",
        ])
        resources = tolist([
          "arn:aws:sqs:eu-central-1:123456789012:millrace-test-aggregate",
        ])
      }
      NoteFailures = {
        actions   = tolist(["dynamodb:BatchWriteItem"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-notes"])
      }
      Mark = {
        actions = tolist([
          "dynamodb:GetItem",
          "dynamodb:UpdateItem",
        ])
        resources = tolist([
          "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-commits",
        ])
      }
      Count = {
        actions = tolist([
          "dynamodb:BatchGetItem",
          "dynamodb:UpdateItem",
        ])
        resources = tolist([
          "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-aggregates",
        ])
      }
      MarkUnique = {
        actions = tolist([
          "dynamodb:BatchGetItem",
          "dynamodb:PartiQLInsert",
        ])
        resources = tolist([
          "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-markers",
        ])
      }
      MarkReplayed = {
        actions = tolist([
          "dynamodb:GetItem",
          "dynamodb:UpdateItem",
        ])
        resources = tolist([
          "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-markers",
        ])
      }
      FollowReplay = {
        actions = tolist([
          "dynamodb:PutItem",
          "dynamodb:UpdateItem",
        ])
        resources = tolist([
          "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-replays",
        ])
      }
      TellMissing = {
        actions = tolist([
          "s3:ListBucket",
        ])
        resources = tolist([
          "arn:aws:s3:::millrace-test-data-123456789012",
        ])
      }
      Load = {
        actions = tolist([
          "s3:GetObject",
        ])
        resources = tolist([
          "arn:aws:s3:::millrace-test-data-123456789012/definitions/*",
          "arn:aws:s3:::millrace-test-data-123456789012/enriched/*",
        ])
      }
    }
    error_message = "aggregate has exactly these actions on these resources"
  }
}

run "archive_may_do_its_work_and_no_more" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(data.aws_iam_policy_document.function["archive"].json).Statement :
      statement.Sid => { actions = sort(flatten([statement.Action])), resources = sort(flatten([statement.Resource])) }
      } == {
      Consume = {
        actions = tolist([
          "sqs:ChangeMessageVisibility",
          "sqs:DeleteMessage",
          "sqs:GetQueueAttributes",
          "sqs:ReceiveMessage",
        ])
        resources = tolist([
          "arn:aws:sqs:eu-central-1:123456789012:millrace-test-archive",
        ])
      }
      NoteFailures = {
        actions   = tolist(["dynamodb:BatchWriteItem"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-notes"])
      }
      Mark = {
        actions = tolist([
          "dynamodb:GetItem",
          "dynamodb:UpdateItem",
        ])
        resources = tolist([
          "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-commits",
        ])
      }
      List = {
        actions = tolist([
          "dynamodb:BatchWriteItem",
        ])
        resources = tolist([
          "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-manifests",
        ])
      }
      TellMissing = {
        actions = tolist([
          "s3:ListBucket",
        ])
        resources = tolist([
          "arn:aws:s3:::millrace-test-data-123456789012",
        ])
      }
      Load = {
        actions = tolist([
          "s3:GetObject",
        ])
        resources = tolist([
          "arn:aws:s3:::millrace-test-data-123456789012/enriched/*",
        ])
      }
      Store = {
        actions = tolist([
          "s3:PutObject",
          "s3:PutObjectTagging",
        ])
        resources = tolist([
          "arn:aws:s3:::millrace-test-data-123456789012/archive/*",
        ])
      }
    }
    error_message = "archive has exactly these actions on these resources"
  }
}

run "export_may_do_its_work_and_no_more" {
  command = plan

  variables {
    export = { client_buckets = { acme = "acme-events" } }
  }

  assert {
    condition = {
      for statement in jsondecode(data.aws_iam_policy_document.function["export"].json).Statement :
      statement.Sid => { actions = sort(flatten([statement.Action])), resources = sort(flatten([statement.Resource])) }
      } == {
      SeeStream = {
        actions   = tolist(["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"])
        resources = tolist(["arn:aws:kinesis:eu-central-1:123456789012:stream/millrace-test-events"])
      }
      SeeCommits = {
        actions = tolist(["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"])
        resources = tolist([
          "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-commits",
          "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-commits/index/unfinished",
        ])
      }
      List = {
        actions   = tolist(["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-manifests"])
      }
      TellMissing = {
        actions   = tolist(["s3:ListBucket"])
        resources = tolist(["arn:aws:s3:::acme-events", "arn:aws:s3:::millrace-test-data-123456789012"])
      }
      Load = {
        actions   = tolist(["s3:GetObject"])
        resources = tolist(["arn:aws:s3:::millrace-test-data-123456789012/archive/*"])
      }
      Write = {
        actions = tolist(["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"])
        resources = tolist([
          "arn:aws:s3:::acme-events/clients/*",
          "arn:aws:s3:::millrace-test-data-123456789012/clients/*",
        ])
      }
    }
    error_message = "export has exactly these actions on these resources"
  }
}

run "watch_may_do_its_work_and_no_more" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(data.aws_iam_policy_document.function["replay"].json).Statement :
      statement.Sid => { actions = sort(flatten([statement.Action])), resources = sort(flatten([statement.Resource])) }
      } == {
      Consume = {
        actions = tolist([
          "sqs:ChangeMessageVisibility",
          "sqs:DeleteMessage",
          "sqs:GetQueueAttributes",
          "sqs:ReceiveMessage",
        ])
        resources = tolist(["arn:aws:sqs:eu-central-1:123456789012:millrace-test-replay_work"])
      }
      NoteFailures = {
        actions   = tolist(["dynamodb:BatchWriteItem"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-notes"])
      }
      Wake = {
        actions   = tolist(["sqs:SendMessage"])
        resources = tolist(["arn:aws:sqs:eu-central-1:123456789012:millrace-test-replay_work"])
      }
      Send = {
        actions   = tolist(["sqs:GetQueueAttributes", "sqs:SendMessage"])
        resources = tolist(["arn:aws:sqs:eu-central-1:123456789012:millrace-test-replay"])
      }
      Keep = {
        actions   = tolist(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-replays"])
      }
      SeeLiveLag = {
        actions   = tolist(["dynamodb:Query"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-commits/index/unfinished"])
      }
      TellMissing = {
        actions   = tolist(["s3:ListBucket"])
        resources = tolist(["arn:aws:s3:::millrace-test-data-123456789012"])
      }
      Load = {
        actions   = tolist(["s3:GetObject"])
        resources = tolist(["arn:aws:s3:::millrace-test-data-123456789012/replays/*"])
      }
    }
    error_message = "replay reads plans, moves its checkpoint, and sends to the queues it is given"
  }

  assert {
    condition = {
      for statement in jsondecode(data.aws_iam_policy_document.function["watch"].json).Statement :
      statement.Sid => { actions = sort(flatten([statement.Action])), resources = sort(flatten([statement.Resource])) }
      } == {
      ListShards = {
        actions = tolist([
          "kinesis:ListShards",
        ])
        resources = tolist([
          "arn:aws:kinesis:eu-central-1:123456789012:stream/millrace-test-events",
        ])
      }
      Consume = {
        actions = tolist([
          "sqs:ChangeMessageVisibility",
          "sqs:DeleteMessage",
          "sqs:GetQueueAttributes",
          "sqs:ReceiveMessage",
        ])
        resources = tolist(["arn:aws:sqs:eu-central-1:123456789012:millrace-test-failures"])
      }
      TellMissing = {
        actions   = tolist(["s3:ListBucket"])
        resources = tolist(["arn:aws:s3:::millrace-test-data-123456789012"])
      }
      ReadDiscarded = {
        actions   = tolist(["s3:GetObject"])
        resources = tolist(["arn:aws:s3:::millrace-test-data-123456789012/aws/lambda/*"])
      }
      NoteFailures = {
        actions   = tolist(["dynamodb:BatchWriteItem"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-notes"])
      }
      NoteDiscarded = {
        actions   = tolist(["dynamodb:PutItem"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-commits"])
      }
      Sweep = {
        actions = tolist([
          "dynamodb:GetItem",
          "dynamodb:Query",
          "dynamodb:UpdateItem",
        ])
        resources = tolist([
          "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-commits",
          "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-commits/index/unfinished",
        ])
      }
      Refer = {
        actions = tolist([
          "sqs:SendMessage",
        ])
        resources = tolist([
          "arn:aws:sqs:eu-central-1:123456789012:millrace-test-enrich",
        ])
      }
    }
    error_message = "watch has exactly these actions on these resources"
  }
}

run "ingest_api_may_do_its_work_and_no_more" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(data.aws_iam_policy_document.function["ingest_api"].json).Statement :
      statement.Sid => { actions = sort(flatten([statement.Action])), resources = sort(flatten([statement.Resource])) }
      } == {
      Queue = {
        actions = tolist([
          "kinesis:PutRecords",
        ])
        resources = tolist([
          "arn:aws:kinesis:eu-central-1:123456789012:stream/millrace-test-events",
        ])
      }
    }
    error_message = "ingest_api has exactly these actions on these resources"
  }
}

run "no_statement_allows_everything" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for document in data.aws_iam_policy_document.function : [
        for statement in jsondecode(document.json).Statement :
        statement.Effect == "Allow"
        && !anytrue([for action in flatten([statement.Action]) : strcontains(action, "*")])
        && (!contains(flatten([statement.Resource]), "*") || length(setsubtract(flatten([statement.Action]), ["cloudwatch:GetMetricData", "lambda:ListEventSourceMappings"])) == 0)
      ]
    ]))
    error_message = "no action holds a wildcard, and no resource is one but where AWS knows none"
  }
}

run "a_producer_may_send_and_no_more" {
  command = plan

  assert {
    condition     = [for s in jsondecode(data.aws_iam_policy_document.producer["stream"].json).Statement : s.Sid] == ["Put"] && toset(jsondecode(data.aws_iam_policy_document.producer["stream"].json).Statement[0].Action) == toset(["kinesis:PutRecord", "kinesis:PutRecords"])
    error_message = "records are put, nothing is read"
  }

  assert {
    condition     = jsondecode(data.aws_iam_policy_document.producer["stream"].json).Statement[0].Resource == "arn:aws:kinesis:eu-central-1:123456789012:stream/millrace-test-events"
    error_message = "on this stream only"
  }

  assert {
    condition     = aws_iam_policy.producer["stream"].name == "millrace-test-producer-stream" && aws_iam_policy.producer["api"].name == "millrace-test-producer-api"
    error_message = "both policies carry the prefix"
  }
}

run "a_producer_may_encrypt_with_the_streams_key" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/k"
  }

  assert {
    condition     = { for s in jsondecode(data.aws_iam_policy_document.producer["stream"].json).Statement : s.Sid => s.Resource } == { Put = "arn:aws:kinesis:eu-central-1:123456789012:stream/millrace-test-events", Encrypt = var.kms_key_arn }
    error_message = "a stream with a key of its own asks its producers for a data key"
  }
}

run "replay_api_may_do_its_work_and_no_more" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(data.aws_iam_policy_document.function["replay_api"].json).Statement :
      statement.Sid => { actions = sort(flatten([statement.Action])), resources = sort(flatten([statement.Resource])) }
      } == {
      Select = {
        actions   = tolist(["dynamodb:BatchGetItem", "dynamodb:Query"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-event_index"])
      }
      Locate = {
        actions   = tolist(["dynamodb:GetItem"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-commits"])
      }
      Keep = {
        actions   = tolist(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-replays"])
      }
      TellMissing = {
        actions   = tolist(["s3:ListBucket"])
        resources = tolist(["arn:aws:s3:::millrace-test-data-123456789012"])
      }
      Load = {
        actions   = tolist(["s3:GetObject"])
        resources = tolist(["arn:aws:s3:::millrace-test-data-123456789012/config/*"])
      }
      Store = {
        actions = tolist(["s3:PutObject"])
        resources = tolist([
          "arn:aws:s3:::millrace-test-data-123456789012/definitions/*",
          "arn:aws:s3:::millrace-test-data-123456789012/replays/*",
        ])
      }
      Wake = {
        actions   = tolist(["sqs:SendMessage"])
        resources = tolist(["arn:aws:sqs:eu-central-1:123456789012:millrace-test-replay_work"])
      }
    }
    error_message = "replay_api plans, keeps and wakes; it sends no message of a replay and reads no event"
  }
}

run "operator_api_may_do_its_work_and_no_more" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(data.aws_iam_policy_document.function["operator_api"].json).Statement :
      statement.Sid => { actions = sort(flatten([statement.Action])), resources = sort(flatten([statement.Resource])) }
      } == {
      TakeDeadLetters = {
        actions   = tolist(["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"])
        resources = tolist(sort([for queue in ["enrich", "aggregate", "archive", "replay", "replay_work", "failures"] : "arn:aws:sqs:eu-central-1:123456789012:millrace-test-${queue}-dlq"]))
      }
      SendBack = {
        actions   = tolist(["sqs:SendMessage"])
        resources = tolist(sort([for queue in ["enrich", "aggregate", "archive", "replay", "replay_work", "failures"] : "arn:aws:sqs:eu-central-1:123456789012:millrace-test-${queue}"]))
      }
      ReadNotes = {
        actions   = tolist(["dynamodb:BatchGetItem"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-notes"])
      }
      KeepAudit = {
        actions   = tolist(["dynamodb:PutItem"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-audit"])
      }
    }
    error_message = "operator_api takes dead letters and nothing from a working queue; it adds to the audit and cannot change it"
  }
}

run "investigate_reads_and_changes_nothing" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(data.aws_iam_policy_document.function["investigate"].json).Statement :
      statement.Sid => { actions = sort(flatten([statement.Action])), resources = sort(flatten([statement.Resource])) }
      } == {
      SeeStream = {
        actions   = tolist(["kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"])
        resources = tolist(["arn:aws:kinesis:eu-central-1:123456789012:stream/millrace-test-events"])
      }
      SeeDeadLetters = {
        actions   = tolist(["sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"])
        resources = tolist([for queue in ["aggregate", "archive", "enrich", "failures", "replay", "replay_work"] : "arn:aws:sqs:eu-central-1:123456789012:millrace-test-${queue}-dlq"])
      }
      ReadNotes = {
        actions   = tolist(["dynamodb:BatchGetItem"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-notes"])
      }
      SeeServices = {
        actions   = tolist(["lambda:GetFunctionConcurrency", "lambda:GetFunctionConfiguration"])
        resources = tolist(sort([for service in keys(output.functions) : "arn:aws:lambda:eu-central-1:123456789012:function:millrace-test-${service}"]))
      }
      SeeSchedules = {
        actions   = tolist(["events:DescribeRule"])
        resources = tolist([for rule in ["export", "watch"] : "arn:aws:events:eu-central-1:123456789012:rule/millrace-test-${rule}"])
      }
      SeeMappingsAndCalls = {
        actions   = tolist(["cloudwatch:GetMetricData", "lambda:ListEventSourceMappings"])
        resources = tolist(["*"])
      }
      ReadCommits = {
        actions   = tolist(["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-commits"])
      }
      SeeUnfinished = {
        actions   = tolist(["dynamodb:Query"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-commits/index/unfinished"])
      }
      FindOwner = {
        actions   = tolist(["dynamodb:GetItem"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-gate"])
      }
      ReadIndex = {
        actions   = tolist(["dynamodb:BatchGetItem", "dynamodb:Query"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-event_index"])
      }
      ReadReplays = {
        actions   = tolist(["dynamodb:GetItem", "dynamodb:Query"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-replays"])
      }
      ReadRows = {
        actions   = tolist(["dynamodb:Query"])
        resources = tolist(["arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-aggregates", "arn:aws:dynamodb:eu-central-1:123456789012:table/millrace-test-manifests"])
      }
      TellMissing = {
        actions   = tolist(["s3:ListBucket"])
        resources = tolist(["arn:aws:s3:::millrace-test-data-123456789012"])
      }
      Load = {
        actions   = tolist(["s3:GetObject"])
        resources = tolist([for prefix in ["archive", "aws/lambda", "definitions", "enriched", "quarantine", "raw", "replays"] : "arn:aws:s3:::millrace-test-data-123456789012/${prefix}/*"])
      }
    }
    error_message = "investigate has rights to read, each on what it reads, and no other"
  }
}
