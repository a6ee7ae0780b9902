# A queue is encrypted, and only it may move messages to its dead-letter queue.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                 = "millrace-test-enrich"
  account              = { id = "123456789012", partition = "aws", region = "eu-central-1" }
  visibility_timeout_s = 360
}

run "is_encrypted_and_redrives" {
  command = plan

  assert {
    condition     = aws_sqs_queue.this.sqs_managed_sse_enabled && aws_sqs_queue.dead_letter.sqs_managed_sse_enabled
    error_message = "both queues are encrypted"
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.dead_letter.redrive_allow_policy) == { redrivePermission = "byQueue", sourceQueueArns = ["arn:aws:sqs:eu-central-1:123456789012:millrace-test-enrich"] }
    error_message = "only the queue itself may use its dead-letter queue"
  }

  assert {
    condition     = aws_sqs_queue.dead_letter.message_retention_seconds == 1209600 && aws_sqs_queue.this.message_retention_seconds == 345600
    error_message = "dead letters are kept for 14 days, longer than messages"
  }

  assert {
    condition     = aws_sqs_queue.dead_letter.name == "millrace-test-enrich-dlq" && aws_sqs_queue.this.visibility_timeout_seconds == 360
    error_message = "names and visibility are the given ones"
  }
}

run "gives_up_after_the_receives" {
  command = apply

  variables {
    max_receive_count = 3
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_redrive_policy.this.redrive_policy).maxReceiveCount == 3
    error_message = "the third failure is the last"
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_redrive_policy.this.redrive_policy).deadLetterTargetArn == aws_sqs_queue.dead_letter.arn
    error_message = "failed messages go to the dead-letter queue"
  }
}

run "takes_a_key" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/k"
  }

  assert {
    condition     = aws_sqs_queue.this.kms_master_key_id == var.kms_key_arn && aws_sqs_queue.dead_letter.kms_master_key_id == var.kms_key_arn
    error_message = "both queues are encrypted with the given key"
  }
}
