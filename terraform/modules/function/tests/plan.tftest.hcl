# A function runs the zip whose hash is its key, and its logs are not kept for ever.

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

run "runs_the_zip_and_keeps_logs_for_a_month" {
  command = plan

  assert {
    condition     = aws_lambda_function.this.s3_key == "ingest/${filesha256("tests/function.zip")}.zip" && aws_lambda_function.this.source_code_hash == filebase64sha256("tests/function.zip")
    error_message = "the function runs the zip, by its content"
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.name == "/aws/lambda/millrace-test-ingest" && aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "logs are kept for 30 days"
  }

  assert {
    condition     = aws_lambda_function.this.runtime == "python3.13" && aws_lambda_function.this.architectures == tolist(["x86_64"]) && aws_lambda_function.this.handler == "ingest.handler.handler"
    error_message = "runtime, architecture and handler are the given ones"
  }

  assert {
    condition     = aws_lambda_function.this.memory_size == 512 && aws_lambda_function.this.timeout == 60 && aws_lambda_function.this.reserved_concurrent_executions == -1
    error_message = "size and concurrency are the defaults"
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables == tomap({ LOG_LEVEL = "INFO" }) && aws_lambda_function.this.tracing_config[0].mode == "PassThrough"
    error_message = "the settings reach the function"
  }

  assert {
    condition     = aws_iam_role.this.name == "millrace-test-ingest"
    error_message = "the function has a role of its own"
  }
}

run "takes_a_key" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/k"
  }

  assert {
    condition     = aws_lambda_function.this.kms_key_arn == var.kms_key_arn && aws_cloudwatch_log_group.this.kms_key_id == var.kms_key_arn
    error_message = "settings and logs are encrypted with the given key"
  }
}

run "runs_outside_of_a_vpc_unless_told" {
  command = plan

  assert {
    condition     = length(aws_lambda_function.this.vpc_config) == 0
    error_message = "there is no VPC by default"
  }
}

run "runs_in_a_vpc" {
  command = plan

  variables {
    vpc_config = { subnet_ids = ["subnet-1", "subnet-2"], security_group_ids = ["sg-1"] }
  }

  assert {
    condition     = aws_lambda_function.this.vpc_config[0].subnet_ids == toset(["subnet-1", "subnet-2"]) && aws_lambda_function.this.vpc_config[0].security_group_ids == toset(["sg-1"])
    error_message = "the function runs in the given subnets, with the given security group"
  }
}
