# Each value here is refused by a validation, before anything is planned.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name   = "millrace-test"
  bucket = "millrace-test-data-123456789012"
}

run "refuses_an_upper_case_name" {
  command = plan

  variables {
    name = "Millrace"
  }

  expect_failures = [var.name]
}

run "refuses_folders_without_an_hour" {
  command = plan

  variables {
    partitions = "dt={year}-{month}-{day}"
  }

  expect_failures = [var.partitions]
}

run "refuses_years_that_run_backwards" {
  command = plan

  variables {
    years = { from = 2030, to = 2020 }
  }

  expect_failures = [var.years]
}

run "refuses_queries_that_may_scan_nothing" {
  command = plan

  variables {
    max_scanned_gb = 0
  }

  expect_failures = [var.max_scanned_gb]
}

run "refuses_a_key_that_is_no_arn" {
  command = plan

  variables {
    kms_key_arn = "alias/mine"
  }

  expect_failures = [var.kms_key_arn]
}
