# What a function may do beside the caller's policy.

# The real provider writes the documents; it needs no AWS for that.
provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
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

run "may_write_its_own_logs_only" {
  command = plan

  assert {
    condition     = [for s in jsondecode(data.aws_iam_policy_document.this.json).Statement : s.Sid] == ["WriteLogs"]
    error_message = "nothing is added but logs"
  }

  assert {
    condition     = toset(jsondecode(data.aws_iam_policy_document.this.json).Statement[0].Action) == toset(["logs:CreateLogStream", "logs:PutLogEvents"])
    error_message = "the log group is Terraform's to make"
  }

  assert {
    condition     = jsondecode(data.aws_iam_policy_document.this.json).Statement[0].Resource == "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/millrace-test-ingest:*"
    error_message = "only its own log group"
  }

  assert {
    condition     = jsondecode(data.aws_iam_policy_document.assume.json).Statement[0].Principal.Service == "lambda.amazonaws.com"
    error_message = "only Lambda takes the role"
  }
}

run "keeps_the_callers_statements" {
  command = plan

  variables {
    policy_json = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Refer\",\"Effect\":\"Allow\",\"Action\":\"sqs:SendMessage\",\"Resource\":\"arn:aws:sqs:eu-central-1:123456789012:q\"}]}"
  }

  assert {
    condition     = [for s in jsondecode(data.aws_iam_policy_document.this.json).Statement : s.Sid] == ["Refer", "WriteLogs"]
    error_message = "the caller's statement comes first"
  }
}

run "may_use_its_key_and_trace" {
  command = plan

  variables {
    kms_key_arn  = "arn:aws:kms:eu-central-1:123456789012:key/k"
    tracing_mode = "Active"
  }

  assert {
    condition     = [for s in jsondecode(data.aws_iam_policy_document.this.json).Statement : s.Sid] == ["WriteLogs", "UseKey", "UseKeyThroughDynamoDb", "WriteTraces"]
    error_message = "the key and the traces are added"
  }

  assert {
    condition     = jsondecode(data.aws_iam_policy_document.this.json).Statement[1].Resource == var.kms_key_arn && toset(jsondecode(data.aws_iam_policy_document.this.json).Statement[1].Action) == toset(["kms:Decrypt", "kms:GenerateDataKey"])
    error_message = "this key only"
  }

  assert {
    condition     = jsondecode(data.aws_iam_policy_document.this.json).Statement[2].Resource == var.kms_key_arn && toset(jsondecode(data.aws_iam_policy_document.this.json).Statement[2].Action) == toset(["kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"])
    error_message = "what else DynamoDB asks for, of this key only"
  }

  assert {
    condition     = jsondecode(data.aws_iam_policy_document.this.json).Statement[2].Condition == { StringEquals = { "kms:ViaService" = "dynamodb.eu-central-1.amazonaws.com" } }
    error_message = "and only for DynamoDB"
  }

  assert {
    condition     = toset(jsondecode(data.aws_iam_policy_document.this.json).Statement[3].Action) == toset(["xray:PutTelemetryRecords", "xray:PutTraceSegments"])
    error_message = "traces are written, not read"
  }
}

run "lambda_may_attach_it_to_a_vpc_and_its_code_may_not" {
  command = plan

  variables {
    vpc_config = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
  }

  assert {
    condition     = [for s in jsondecode(data.aws_iam_policy_document.this.json).Statement : "${s.Effect} ${s.Sid}"] == ["Allow WriteLogs", "Allow AttachToVpc", "Deny DenyVpcToCode"]
    error_message = "the network interfaces are added"
  }

  assert {
    condition     = contains(jsondecode(data.aws_iam_policy_document.this.json).Statement[1].Action, "ec2:CreateNetworkInterface") && jsondecode(data.aws_iam_policy_document.this.json).Statement[1].Action == jsondecode(data.aws_iam_policy_document.this.json).Statement[2].Action
    error_message = "what Lambda may, the code may not"
  }

  assert {
    condition     = jsondecode(data.aws_iam_policy_document.this.json).Statement[2].Condition.ArnEquals["lambda:SourceFunctionArn"] == "arn:aws:lambda:eu-central-1:123456789012:function:millrace-test-ingest"
    error_message = "the code is told by its function"
  }
}
