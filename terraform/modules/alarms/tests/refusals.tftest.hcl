# Each value here is refused by a validation, before anything is planned.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name               = "millrace-test"
  account            = { id = "123456789012", partition = "aws", region = "eu-central-1" }
  metrics_namespace  = "Millrace/millrace-test"
  functions          = { ingest = "millrace-test-ingest" }
  dead_letter_queues = { enrich = "millrace-test-enrich-dlq" }
}

run "refuses_an_upper_case_name" {
  command = plan

  variables {
    name = "Millrace"
  }

  expect_failures = [var.name]
}

run "refuses_an_account_that_is_no_number" {
  command = plan

  variables {
    account = { id = "prod", partition = "aws", region = "eu-central-1" }
  }

  expect_failures = [var.account]
}

run "refuses_a_namespace_of_aws" {
  command = plan

  variables {
    metrics_namespace = "AWS/Lambda"
  }

  expect_failures = [var.metrics_namespace]
}

run "refuses_functions_without_ingest" {
  command = plan

  variables {
    functions = { export = "millrace-test-export" }
  }

  expect_failures = [var.functions]
}

run "refuses_a_threshold_of_nothing" {
  command = plan

  variables {
    thresholds = { dead_letters = 0 }
  }

  expect_failures = [var.thresholds]
}

run "refuses_half_an_error" {
  command = plan

  variables {
    thresholds = { function_errors = 1.5 }
  }

  expect_failures = [var.thresholds]
}

run "refuses_more_than_all_records" {
  command = plan

  variables {
    thresholds = { rejected_percent = 101 }
  }

  expect_failures = [var.thresholds]
}

run "refuses_more_runs_than_a_day_has" {
  command = plan

  variables {
    thresholds = { export_runs = 25 }
  }

  expect_failures = [var.thresholds]
}

run "refuses_an_address_without_a_domain" {
  command = plan

  variables {
    emails = ["ann"]
  }

  expect_failures = [var.emails]
}

run "refuses_an_action_that_is_no_arn" {
  command = plan

  variables {
    actions = ["pager"]
  }

  expect_failures = [var.actions]
}

run "refuses_a_sixth_action" {
  command = plan

  variables {
    actions = [for n in range(5) : "arn:aws:sns:eu-central-1:123456789012:pager-${n}"]
  }

  expect_failures = [var.actions]
}

run "refuses_a_repository_without_its_slash" {
  command = plan

  variables {
    repository_url = "https://example.com/millrace"
  }

  expect_failures = [var.repository_url]
}

run "refuses_a_key_that_is_no_arn" {
  command = plan

  variables {
    kms_key_arn = "alias/mine"
  }

  expect_failures = [var.kms_key_arn]
}
