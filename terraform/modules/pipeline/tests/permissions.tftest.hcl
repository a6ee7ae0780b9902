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

run "rights" {
  module {
    source = "./tests/rights"
  }
}

run "each_function_may_do_its_work_and_no_more" {
  command = plan

  variables {
    export = { client_buckets = { acme = "acme-events" } }
  }

  assert {
    condition     = keys(data.aws_iam_policy_document.function) == keys(run.rights.functions)
    error_message = "a function is new or gone: say in tests/rights what it may do"
  }

  assert {
    condition     = { for s in jsondecode(data.aws_iam_policy_document.function["ingest"].json).Statement : s.Sid => sort(flatten([s.Action, s.Resource])) } == run.rights.functions.ingest
    error_message = "ingest has exactly these actions on these resources"
  }

  assert {
    condition     = { for s in jsondecode(data.aws_iam_policy_document.function["enrich"].json).Statement : s.Sid => sort(flatten([s.Action, s.Resource])) } == run.rights.functions.enrich
    error_message = "enrich has exactly these actions on these resources"
  }

  assert {
    condition     = { for s in jsondecode(data.aws_iam_policy_document.function["aggregate"].json).Statement : s.Sid => sort(flatten([s.Action, s.Resource])) } == run.rights.functions.aggregate
    error_message = "aggregate has exactly these actions on these resources"
  }

  assert {
    condition     = { for s in jsondecode(data.aws_iam_policy_document.function["archive"].json).Statement : s.Sid => sort(flatten([s.Action, s.Resource])) } == run.rights.functions.archive
    error_message = "archive has exactly these actions on these resources"
  }

  assert {
    condition     = { for s in jsondecode(data.aws_iam_policy_document.function["export"].json).Statement : s.Sid => sort(flatten([s.Action, s.Resource])) } == run.rights.functions.export
    error_message = "export has exactly these actions on these resources"
  }

  assert {
    condition     = { for s in jsondecode(data.aws_iam_policy_document.function["replay"].json).Statement : s.Sid => sort(flatten([s.Action, s.Resource])) } == run.rights.functions.replay
    error_message = "replay reads plans, moves its checkpoint, and sends to the queues it is given"
  }

  assert {
    condition     = { for s in jsondecode(data.aws_iam_policy_document.function["watch"].json).Statement : s.Sid => sort(flatten([s.Action, s.Resource])) } == run.rights.functions.watch
    error_message = "watch has exactly these actions on these resources"
  }

  assert {
    condition     = { for s in jsondecode(data.aws_iam_policy_document.function["ingest_api"].json).Statement : s.Sid => sort(flatten([s.Action, s.Resource])) } == run.rights.functions.ingest_api
    error_message = "ingest_api has exactly these actions on these resources"
  }

  assert {
    condition     = { for s in jsondecode(data.aws_iam_policy_document.function["replay_api"].json).Statement : s.Sid => sort(flatten([s.Action, s.Resource])) } == run.rights.functions.replay_api
    error_message = "replay_api plans, keeps and wakes; it sends no message of a replay and reads no event"
  }

  assert {
    condition     = { for s in jsondecode(data.aws_iam_policy_document.function["operator_api"].json).Statement : s.Sid => sort(flatten([s.Action, s.Resource])) } == run.rights.functions.operator_api
    error_message = "operator_api takes dead letters and nothing from a working queue; it adds to the audit and cannot change it"
  }

  assert {
    condition     = { for s in jsondecode(data.aws_iam_policy_document.function["investigate"].json).Statement : s.Sid => sort(flatten([s.Action, s.Resource])) } == run.rights.functions.investigate
    error_message = "investigate has rights to read, each on what it reads, and no other"
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

run "people_may_look_or_also_put_right_and_no_more" {
  command = plan

  assert {
    condition     = { for s in jsondecode(data.aws_iam_policy_document.operator["investigator"].json).Statement : s.Sid => sort(flatten([s.Action, s.Resource])) } == run.rights.investigator
    error_message = "an investigator reads everything, the records on the stream included, and writes nothing"
  }

  assert {
    condition     = { for s in jsondecode(data.aws_iam_policy_document.operator["operator"].json).Statement : s.Sid => sort(flatten([s.Action, s.Resource])) } == run.rights.operator
    error_message = "an operator writes what replays, redrives, repairs and recoveries write"
  }

  assert {
    condition     = [for policy in values(aws_iam_policy.operator) : policy.name] == ["millrace-test-investigator", "millrace-test-operator"]
    error_message = "both policies carry the prefix"
  }
}

run "people_may_use_a_key_of_its_own" {
  command = plan

  variables {
    # The longest prefix that there may be.
    name_prefix = "millrace-test-0123456789-0123456789-0123"
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
  }

  assert {
    condition     = alltrue([for rights in values(local.operator_rights) : rights.UseKey.resources == [var.kms_key_arn]])
    error_message = "what is encrypted with a key is read and written with it"
  }

  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: white space apart.
  assert {
    condition     = alltrue([for document in data.aws_iam_policy_document.operator : length(replace(document.json, "/\\s/", "")) <= 6144])
    error_message = "a managed policy has 6144 characters at most: ${join(", ", [for document in data.aws_iam_policy_document.operator : length(replace(document.json, "/\\s/", ""))])}"
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
