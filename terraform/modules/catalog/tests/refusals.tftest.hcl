# Each value here is refused by a validation, before anything is planned. A run costs the start of a
# provider, so it holds as many values as do not touch each other: all that it names must fail.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name   = "millrace-test"
  bucket = "millrace-test-data-123456789012"
}

run "refuses_values_beyond_their_bounds" {
  command = plan

  variables {
    # An upper case name.
    name = "Millrace"
    # Folders without an hour.
    partitions = "dt={year}-{month}-{day}"
    # Years that run backwards.
    years = { from = 2030, to = 2020 }
    # Queries that may scan nothing.
    max_scanned_gb = 0
    # A key that is no ARN.
    kms_key_arn = "alias/mine"
  }

  expect_failures = [
    var.name, var.partitions, var.years, var.max_scanned_gb, var.kms_key_arn,
  ]
}
