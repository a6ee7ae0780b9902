# Each value here is refused by a validation, before anything is planned. A run costs the start of a
# provider, so it holds as many values as do not touch each other: all that it names must fail.

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

run "refuses_values_beyond_their_bounds" {
  command = plan

  variables {
    # A name with dots.
    name = "millrace.ingest"
    # A service that is no package.
    service = "In-Gest"
    # A long description.
    description = join("", [for n in range(257) : "x"])
    # A short account ID.
    account = { id = "123", partition = "aws", region = "eu-central-1" }
    # A policy that is no JSON.
    policy_json = "allow everything"
    # A zip that is not there.
    zip_path = "tests/missing.zip"
    # An old runtime.
    runtime = "python3.9"
    # An unknown architecture.
    architecture = "riscv"
    # Too little memory.
    memory_mb = 64
    # A timeout beyond 15 minutes.
    timeout_s = 901
    # A negative concurrency.
    reserved_concurrency = -2
    # An unknown tracing mode.
    tracing_mode = "Sometimes"
    # A log retention that CloudWatch lacks.
    log_retention_days = 31
    # A key that is no ARN.
    kms_key_arn = "alias/mine"
    # Subnets without a security group.
    vpc_config = { subnet_ids = ["subnet-1"] }
    # Less room than Lambda gives for nothing.
    ephemeral_storage_mb = 511
  }

  expect_failures = [
    var.name, var.service, var.description, var.account, var.policy_json, var.zip_path,
    var.runtime, var.architecture, var.memory_mb, var.timeout_s, var.reserved_concurrency,
    var.tracing_mode, var.log_retention_days, var.kms_key_arn, var.vpc_config,
    var.ephemeral_storage_mb,
  ]
}

run "refuses_a_subnet_that_is_no_id" {
  command = plan

  variables {
    vpc_config = { subnet_ids = ["private"], security_group_ids = ["sg-1"] }
  }

  expect_failures = [var.vpc_config]
}
