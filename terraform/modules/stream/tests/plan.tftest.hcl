# A stream is encrypted, and a resize does not change its incarnation. (Mocks never replace a
# resource: that a new stream is a new incarnation shows on an engine only.)

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name    = "millrace-test-events"
  account = { id = "123456789012", partition = "aws", region = "eu-central-1" }
}

run "is_encrypted_by_default" {
  command = plan

  assert {
    condition     = aws_kinesis_stream.this.encryption_type == "KMS" && aws_kinesis_stream.this.kms_key_id == "alias/aws/kinesis"
    error_message = "the stream is encrypted with the AWS managed key"
  }

  assert {
    condition     = aws_kinesis_stream.this.retention_period == 24 && aws_kinesis_stream.this.shard_count == 1
    error_message = "one shard, kept for a day"
  }

  assert {
    condition     = output.arn == "arn:aws:kinesis:eu-central-1:123456789012:stream/millrace-test-events"
    error_message = "the ARN follows from the name"
  }
}

run "on_demand_has_no_shard_count" {
  command = plan

  variables {
    mode = "ON_DEMAND"
  }

  assert {
    condition     = aws_kinesis_stream.this.stream_mode_details[0].stream_mode == "ON_DEMAND" && aws_kinesis_stream.this.shard_count == null
    error_message = "an on-demand stream has no shard count of ours"
  }
}

run "first_life" {
  command = apply

  assert {
    condition     = can(regex("^[0-9a-f]{8}$", output.incarnation))
    error_message = "the incarnation has 8 hexadecimal digits"
  }
}

run "same_life_after_a_resize" {
  command = apply

  variables {
    shard_count = 4
    retention_h = 168
  }

  assert {
    condition     = output.incarnation == run.first_life.incarnation
    error_message = "a resize and a longer retention keep the incarnation"
  }
}
