# Each value here is refused by a validation, before anything is planned.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name             = "millrace-test-ingest"
  service          = "ingest"
  description      = "Stores records"
  account          = { id = "123456789012", partition = "aws", region = "eu-central-1" }
  policy_json      = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
  artifacts_bucket = "millrace-test-artifacts-123456789012"
  zip_path         = "tests/function.zip"
  handler          = "ingest.handler.handler"
  environment      = { LOG_LEVEL = "INFO" }
}

run "refuses_a_name_with_dots" {
  command = plan

  variables {
    name = "millrace.ingest"
  }

  expect_failures = [var.name]
}

run "refuses_a_service_that_is_no_package" {
  command = plan

  variables {
    service = "In-Gest"
  }

  expect_failures = [var.service]
}

run "refuses_a_long_description" {
  command = plan

  variables {
    description = join("", [for n in range(257) : "x"])
  }

  expect_failures = [var.description]
}

run "refuses_a_short_account_id" {
  command = plan

  variables {
    account = { id = "123", partition = "aws", region = "eu-central-1" }
  }

  expect_failures = [var.account]
}

run "refuses_a_policy_that_is_no_json" {
  command = plan

  variables {
    policy_json = "allow everything"
  }

  expect_failures = [var.policy_json]
}

run "refuses_a_zip_that_is_not_there" {
  command = plan

  variables {
    zip_path = "tests/missing.zip"
  }

  expect_failures = [var.zip_path]
}

run "refuses_an_old_runtime" {
  command = plan

  variables {
    runtime = "python3.9"
  }

  expect_failures = [var.runtime]
}

run "refuses_an_unknown_architecture" {
  command = plan

  variables {
    architecture = "riscv"
  }

  expect_failures = [var.architecture]
}

run "refuses_too_little_memory" {
  command = plan

  variables {
    memory_mb = 64
  }

  expect_failures = [var.memory_mb]
}

run "refuses_a_timeout_beyond_15_minutes" {
  command = plan

  variables {
    timeout_s = 901
  }

  expect_failures = [var.timeout_s]
}

run "refuses_a_negative_concurrency" {
  command = plan

  variables {
    reserved_concurrency = -2
  }

  expect_failures = [var.reserved_concurrency]
}

run "refuses_an_unknown_tracing_mode" {
  command = plan

  variables {
    tracing_mode = "Sometimes"
  }

  expect_failures = [var.tracing_mode]
}

run "refuses_a_log_retention_that_cloudwatch_lacks" {
  command = plan

  variables {
    log_retention_days = 31
  }

  expect_failures = [var.log_retention_days]
}

run "refuses_a_key_that_is_no_arn" {
  command = plan

  variables {
    kms_key_arn = "alias/mine"
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_subnets_without_a_security_group" {
  command = plan

  variables {
    vpc_config = { subnet_ids = ["subnet-1"] }
  }

  expect_failures = [var.vpc_config]
}

run "refuses_a_subnet_that_is_no_id" {
  command = plan

  variables {
    vpc_config = { subnet_ids = ["private"], security_group_ids = ["sg-1"] }
  }

  expect_failures = [var.vpc_config]
}

run "refuses_less_room_than_lambda_gives_for_nothing" {
  command = plan

  variables {
    ephemeral_storage_mb = 511
  }

  expect_failures = [var.ephemeral_storage_mb]
}
