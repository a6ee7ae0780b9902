# The real provider writes the topic's policy; nothing is asked of AWS.

provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}

variables {
  name               = "millrace-test"
  account            = { id = "123456789012", partition = "aws", region = "eu-central-1" }
  metrics_namespace  = "Millrace/millrace-test"
  functions          = { ingest = "millrace-test-ingest" }
  dead_letter_queues = {}
  stream_retention_h = 24
  tried_for_s        = 1800
}

run "alarms_of_this_account_publish_and_nobody_in_the_clear" {
  command = plan

  assert {
    condition = jsondecode(data.aws_iam_policy_document.topic.json).Statement == [
      {
        Sid       = "PublishAlarms"
        Effect    = "Allow"
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:eu-central-1:123456789012:millrace-test-alarms"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Condition = { StringEquals = { "aws:SourceAccount" = "123456789012" } }
      },
      {
        Sid       = "DenyInsecureTransport"
        Effect    = "Deny"
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:eu-central-1:123456789012:millrace-test-alarms"
        Principal = "*"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
    error_message = "CloudWatch alone may publish, for this account, and not in the clear"
  }
}

run "an_endpoint_without_tls" {
  command = plan

  variables {
    enforce_tls = false
  }

  assert {
    condition     = [for each in jsondecode(data.aws_iam_policy_document.topic.json).Statement : each.Sid] == ["PublishAlarms"]
    error_message = "nothing is denied"
  }
}
