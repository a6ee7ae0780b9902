# Each value here is refused by a validation, before anything is planned.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name = "millrace-test-data-123456789012"
}

run "refuses_an_upper_case_name" {
  command = plan

  variables {
    name = "Data"
  }

  expect_failures = [var.name]
}

run "refuses_negative_days" {
  command = plan

  variables {
    lifecycle_rules = { raw = { prefix = "raw/", expiration_days = -1, noncurrent_expiration_days = 2 } }
  }

  expect_failures = [var.lifecycle_rules]
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

run "refuses_a_write_once_prefix_without_slash" {
  command = plan

  variables {
    write_once_prefixes = ["raw"]
  }

  expect_failures = [var.write_once_prefixes]
}

run "refuses_an_undeletable_prefix_without_slash" {
  command = plan

  variables {
    undeletable_prefixes = ["raw"]
  }

  expect_failures = [var.undeletable_prefixes]
}

run "refuses_a_key_that_is_no_arn" {
  command = plan

  variables {
    kms_key_arn = "alias/mine"
  }

  expect_failures = [var.kms_key_arn]
}
