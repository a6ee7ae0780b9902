# Each value here is refused by a validation, before anything is planned. A run costs the start of a
# provider, so it holds as many values as do not touch each other: all that it names must fail.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name    = "millrace-test-events"
  account = { id = "123456789012", partition = "aws", region = "eu-central-1" }
}

run "refuses_values_beyond_their_bounds" {
  command = plan

  variables {
    # A name with spaces.
    name = "my events"
    # A short account ID.
    account = { id = "123", partition = "aws", region = "eu-central-1" }
    # An unknown mode.
    mode = "ELASTIC"
    # No shards.
    shard_count = 0
    # A retention below a day.
    retention_h = 12
    # No encryption.
    kms_key_id = ""
  }

  expect_failures = [
    var.name, var.account, var.mode, var.shard_count, var.retention_h, var.kms_key_id,
  ]
}
