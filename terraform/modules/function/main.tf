# One Lambda function with its role and its log group.

locals {
  log_group     = "/aws/lambda/${var.name}"
  log_group_arn = "arn:${var.account.partition}:logs:${var.account.region}:${var.account.id}:log-group:${local.log_group}"
  in_vpc        = length(var.vpc_config.subnet_ids) > 0

  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
  vpc_actions = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
  ]

  table_key_actions = [
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
  ]
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:a variable: 30 days by default, a year in envs/prod
  name              = local.log_group
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn == "" ? null : var.kms_key_arn
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "this" {
  source_policy_documents = [var.policy_json]

  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.log_group_arn}:*"] # every stream of this log group: their names are Lambda's
  }

  # S3, SQS and Kinesis ask for no more of who reads and writes, Lambda of a function with settings:
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
  # https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html
  dynamic "statement" {
    for_each = var.kms_key_arn == "" ? [] : [var.kms_key_arn]
    content {
      sid       = "UseKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }

  # DynamoDB names more, and only it may ask. kms:CreateGrant is for who makes the table.
  # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
  dynamic "statement" {
    for_each = var.kms_key_arn == "" ? [] : [var.kms_key_arn]
    content {
      sid       = "UseKeyThroughDynamoDb"
      actions   = local.table_key_actions
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["dynamodb.${var.account.region}.amazonaws.com"]
      }
    }
  }

  dynamic "statement" {
    for_each = local.in_vpc ? ["attach"] : []
    content {
      sid       = "AttachToVpc"
      actions   = local.vpc_actions
      resources = ["*"] # the interfaces are not there yet, and Describe knows no resources
    }
  }

  # They are for Lambda, which attaches the function; its code does without.
  dynamic "statement" {
    for_each = local.in_vpc ? ["deny"] : []
    content {
      sid       = "DenyVpcToCode"
      effect    = "Deny"
      actions   = local.vpc_actions
      resources = ["*"] # whatever they are for: this is a Deny

      condition {
        test     = "ArnEquals"
        variable = "lambda:SourceFunctionArn"
        values   = ["arn:${var.account.partition}:lambda:${var.account.region}:${var.account.id}:function:${var.name}"]
      }
    }
  }

  dynamic "statement" {
    for_each = var.tracing_mode == "Active" ? ["trace"] : []
    content {
      sid       = "WriteTraces"
      actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      resources = ["*"] # X-Ray knows no resources for these two
    }
  }
}

resource "aws_iam_role" "this" {
  name               = var.name
  description        = "What the function ${var.name} may do"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy" "this" {
  name   = "least-privilege"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.this.json
}

# The key is the content: another zip is another object, and a rollback is a plan with the old zip.
resource "aws_s3_object" "zip" {
  bucket      = var.artifacts_bucket
  key         = "${var.service}/${filesha256(var.zip_path)}.zip"
  source      = var.zip_path
  source_hash = filesha256(var.zip_path)

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116:what fails goes back to its stream or queue, which has a dead-letter queue; a schedule calls again
  #checkov:skip=CKV_AWS_272:zips come by their hash from a bucket of the stack; signing is the account's decision
  function_name    = var.name
  description      = var.description
  role             = aws_iam_role.this.arn
  runtime          = var.runtime
  architectures    = [var.architecture]
  handler          = var.handler
  s3_bucket        = aws_s3_object.zip.bucket
  s3_key           = aws_s3_object.zip.key
  source_code_hash = filebase64sha256(var.zip_path)
  memory_size      = var.memory_mb
  timeout          = var.timeout_s
  kms_key_arn      = var.kms_key_arn == "" ? null : var.kms_key_arn

  reserved_concurrent_executions = var.reserved_concurrency

  environment {
    variables = var.environment
  }

  ephemeral_storage {
    size = var.ephemeral_storage_mb
  }

  tracing_config {
    mode = var.tracing_mode
  }

  dynamic "vpc_config" {
    for_each = local.in_vpc ? [var.vpc_config] : []
    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  # Lambda would make the log group itself at the first call, without a retention.
  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this]
}
