# Each value here is refused by a validation, before anything is planned. A run costs the start of a
# provider, so it holds as many values as do not touch each other: all that it names must fail.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                 = "millrace-test-enrich"
  account              = { id = "123456789012", partition = "aws", region = "eu-central-1" }
  visibility_timeout_s = 360
}

run "refuses_values_beyond_their_bounds" {
  command = plan

  variables {
    # A name too long for its dead letters.
    name = "a123456789b123456789c123456789d123456789e123456789f123456789g123456789h123456789"
    # A short account ID.
    account = { id = "123", partition = "aws", region = "eu-central-1" }
    # No visibility timeout.
    visibility_timeout_s = 0
    # No receives.
    max_receive_count = 0
    # A retention beyond the dead letters.
    retention_s = 1209600
    # Word of a bucket that is no ARN.
    told_of_bucket_arns = ["millrace-test-data"]
    # A key that is no ARN.
    kms_key_arn = "alias/mine"
  }

  expect_failures = [
    var.name, var.account, var.visibility_timeout_s, var.max_receive_count, var.retention_s,
    var.told_of_bucket_arns, var.kms_key_arn,
  ]
}

run "refuses_a_dead_letter_retention_beyond_14_days" {
  command = plan

  variables {
    dead_letter_retention_s = 1209601
  }

  expect_failures = [var.dead_letter_retention_s]
}
