# Each value here is refused by a validation, before anything is planned.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name    = "millrace-test-events"
  account = { id = "123456789012", partition = "aws", region = "eu-central-1" }
}

run "refuses_a_name_with_spaces" {
  command = plan

  variables {
    name = "my events"
  }

  expect_failures = [var.name]
}

run "refuses_a_short_account_id" {
  command = plan

  variables {
    account = { id = "123", partition = "aws", region = "eu-central-1" }
  }

  expect_failures = [var.account]
}

run "refuses_an_unknown_mode" {
  command = plan

  variables {
    mode = "ELASTIC"
  }

  expect_failures = [var.mode]
}

run "refuses_no_shards" {
  command = plan

  variables {
    shard_count = 0
  }

  expect_failures = [var.shard_count]
}

run "refuses_a_retention_below_a_day" {
  command = plan

  variables {
    retention_h = 12
  }

  expect_failures = [var.retention_h]
}

run "refuses_no_encryption" {
  command = plan

  variables {
    kms_key_id = ""
  }

  expect_failures = [var.kms_key_id]
}
