# The archive's folders are the table's partitions, whatever the template.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name   = "millrace-test"
  bucket = "millrace-test-data-123456789012"
}

run "hive_folders" {
  command = plan

  assert {
    condition     = aws_glue_catalog_table.archive.parameters["storage.location.template"] == "s3://millrace-test-data-123456789012/archive/year=$${year}/month=$${month}/day=$${day}/hour=$${hour}/"
    error_message = "Athena finds an hour where the archive puts it"
  }

  assert {
    condition     = aws_glue_catalog_table.archive.parameters["projection.enabled"] == "true" && aws_glue_catalog_table.archive.parameters["projection.month.digits"] == "2"
    error_message = "partitions are computed, with the folders' leading zeros"
  }

  assert {
    condition     = aws_glue_catalog_database.this.name == "millrace_test" && [for key in aws_glue_catalog_table.archive.partition_keys : key.name] == ["year", "month", "day", "hour"]
    error_message = "the table has the four parts of an hour"
  }

  assert {
    condition     = aws_athena_workgroup.this.configuration[0].bytes_scanned_cutoff_per_query == 100000000000 && aws_athena_workgroup.this.configuration[0].enforce_workgroup_configuration
    error_message = "a query that forgot its hours is cancelled"
  }
}

run "other_folders" {
  command = plan

  variables {
    partitions = "dt={year}-{month}-{day}/h={hour}"
  }

  assert {
    condition     = endswith(aws_glue_catalog_table.archive.parameters["storage.location.template"], "/archive/dt=$${year}-$${month}-$${day}/h=$${hour}/")
    error_message = "the template is the archive's"
  }
}

run "results_under_a_key" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1234"
  }

  assert {
    condition     = aws_athena_workgroup.this.configuration[0].result_configuration[0].encryption_configuration[0].encryption_option == "SSE_KMS"
    error_message = "results are encrypted with the key"
  }
}
