# Neither queue takes requests in the clear.

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
  name                 = "millrace-test-enrich"
  account              = { id = "123456789012", partition = "aws", region = "eu-central-1" }
  visibility_timeout_s = 360
}

run "denies_the_clear" {
  command = plan

  assert {
    condition     = alltrue([for queue in [aws_sqs_queue.this, aws_sqs_queue.dead_letter] : jsondecode(queue.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"])
    error_message = "requests in the clear are meant"
  }

  assert {
    condition     = alltrue([for queue in [aws_sqs_queue.this, aws_sqs_queue.dead_letter] : jsondecode(queue.policy).Statement[0].Effect == "Deny" && jsondecode(queue.policy).Statement[0].Action == "sqs:*"])
    error_message = "they are denied, whatever they want"
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.dead_letter.policy).Statement[0].Resource == "arn:aws:sqs:eu-central-1:123456789012:millrace-test-enrich-dlq"
    error_message = "the dead-letter queue's policy names it"
  }
}

run "has_no_policy_where_there_is_no_tls" {
  command = plan

  variables {
    enforce_tls = false
  }

  assert {
    condition     = length(data.aws_iam_policy_document.this) == 0
    error_message = "no policy is written"
  }
}

run "lets_a_bucket_tell_of_objects" {
  command = plan

  variables {
    enforce_tls         = false
    told_of_bucket_arns = ["arn:aws:s3:::millrace-test-data"]
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.this.policy).Statement[0].Action == "sqs:SendMessage" && jsondecode(aws_sqs_queue.this.policy).Statement[0].Principal.Service == "s3.amazonaws.com"
    error_message = "S3 may send to it"
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.this.policy).Statement[0].Condition.ArnEquals["aws:SourceArn"] == "arn:aws:s3:::millrace-test-data" && jsondecode(aws_sqs_queue.this.policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "of that bucket, in that account"
  }

  assert {
    condition     = length(data.aws_iam_policy_document.this) == 1
    error_message = "nobody sends to the dead-letter queue but the queue itself"
  }
}
