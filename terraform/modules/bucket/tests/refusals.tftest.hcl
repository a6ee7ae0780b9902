# Each value here is refused by a validation, before anything is planned. A run costs the start of a
# provider, so it holds as many values as do not touch each other: all that it names must fail.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name = "millrace-test-data-123456789012"
}

run "refuses_values_beyond_their_bounds" {
  command = plan

  variables {
    # An upper case name.
    name = "Data"
    # Negative days.
    lifecycle_rules = { raw = { prefix = "raw/", expiration_days = -1, noncurrent_expiration_days = 2 } }
    # A write once prefix without slash.
    write_once_prefixes = ["raw"]
    # An undeletable prefix without slash.
    undeletable_prefixes = ["raw"]
    # Word of half a folder.
    told_queues = { news = { prefix = "aws", queue_arn = "arn:aws:sqs:eu-central-1:123456789012:failures" } }
    # A key that is no ARN.
    kms_key_arn = "alias/mine"
  }

  expect_failures = [
    var.name, var.lifecycle_rules, var.write_once_prefixes, var.undeletable_prefixes,
    var.told_queues, var.kms_key_arn,
  ]
}

run "refuses_a_rule_that_does_nothing" {
  command = plan

  variables {
    lifecycle_rules = { raw = { prefix = "raw/" } }
  }

  expect_failures = [var.lifecycle_rules]
}

run "refuses_a_transition_after_expiration" {
  command = plan

  variables {
    lifecycle_rules = { raw = { prefix = "raw/", expiration_days = 30, transitions = { GLACIER = 90 } } }
  }

  expect_failures = [var.lifecycle_rules]
}
