# Each value here is refused by a validation, before anything is planned.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                 = "millrace-test-enrich"
  account              = { id = "123456789012", partition = "aws", region = "eu-central-1" }
  visibility_timeout_s = 360
}

run "refuses_a_name_too_long_for_its_dead_letters" {
  command = plan

  variables {
    name = "a123456789b123456789c123456789d123456789e123456789f123456789g123456789h123456789"
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

run "refuses_no_visibility_timeout" {
  command = plan

  variables {
    visibility_timeout_s = 0
  }

  expect_failures = [var.visibility_timeout_s]
}

run "refuses_no_receives" {
  command = plan

  variables {
    max_receive_count = 0
  }

  expect_failures = [var.max_receive_count]
}

run "refuses_a_retention_beyond_the_dead_letters" {
  command = plan

  variables {
    retention_s = 1209600
  }

  expect_failures = [var.retention_s]
}

run "refuses_a_dead_letter_retention_beyond_14_days" {
  command = plan

  variables {
    dead_letter_retention_s = 1209601
  }

  expect_failures = [var.dead_letter_retention_s]
}

run "refuses_a_key_that_is_no_arn" {
  command = plan

  variables {
    kms_key_arn = "alias/mine"
  }

  expect_failures = [var.kms_key_arn]
}
