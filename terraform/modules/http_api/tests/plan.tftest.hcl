# A route invokes its function for callers that IAM lets through, and only that route may.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name        = "millrace-test-api"
  description = "Takes events"
  throttling  = { rate = 50, burst = 100 }

  routes = {
    "POST /ingest" = {
      function_name = "millrace-test-ingest_api"
      function_arn  = "arn:aws:lambda:eu-central-1:123456789012:function:millrace-test-ingest_api"
    }
    "POST /replay/{id}/pause" = {
      function_name = "millrace-test-replay_api"
      function_arn  = "arn:aws:lambda:eu-central-1:123456789012:function:millrace-test-replay_api"
    }
  }
}

run "serves_signed_requests" {
  command = apply

  assert {
    condition     = aws_apigatewayv2_route.this["POST /ingest"].authorization_type == "AWS_IAM" && aws_apigatewayv2_route.this["POST /ingest"].route_key == "POST /ingest"
    error_message = "the route asks for IAM credentials"
  }

  assert {
    condition     = aws_apigatewayv2_integration.this["POST /ingest"].payload_format_version == "2.0" && aws_apigatewayv2_integration.this["POST /ingest"].integration_uri == var.routes["POST /ingest"].function_arn
    error_message = "the function gets payload format 2.0"
  }

  assert {
    condition     = aws_apigatewayv2_integration.this["POST /ingest"].timeout_milliseconds == 30000
    error_message = "the gateway waits as long as it can"
  }

  assert {
    condition     = aws_lambda_permission.this["POST /ingest"].principal == "apigateway.amazonaws.com" && aws_lambda_permission.this["POST /ingest"].source_arn == "${aws_apigatewayv2_api.this.execution_arn}/*/POST/ingest"
    error_message = "only this method and path of this API invoke the function"
  }

  assert {
    condition     = aws_lambda_permission.this["POST /ingest"].statement_id == "AllowHttpApi-POST-ingest"
    error_message = "the statement is named for its route"
  }

  assert {
    condition     = aws_apigatewayv2_stage.this.name == "$default" && aws_apigatewayv2_stage.this.auto_deploy
    error_message = "changes are deployed at once, under addresses without a stage"
  }

  assert {
    condition     = aws_apigatewayv2_stage.this.default_route_settings[0].throttling_rate_limit == 50 && aws_apigatewayv2_stage.this.default_route_settings[0].throttling_burst_limit == 100
    error_message = "requests are throttled"
  }

  assert {
    condition     = aws_cloudwatch_log_group.access.name == "/aws/vendedlogs/millrace-test-api" && aws_cloudwatch_log_group.access.retention_in_days == 30 && aws_apigatewayv2_stage.this.access_log_settings[0].destination_arn == aws_cloudwatch_log_group.access.arn
    error_message = "requests are logged, for 30 days"
  }

  assert {
    condition     = jsondecode(aws_apigatewayv2_stage.this.access_log_settings[0].format).requestId == "$context.requestId"
    error_message = "the log names the request as answers do"
  }
}

run "a_path_may_have_variables" {
  command = apply

  assert {
    condition     = aws_apigatewayv2_route.this["POST /replay/{id}/pause"].authorization_type == "AWS_IAM" && aws_apigatewayv2_route.this["POST /replay/{id}/pause"].route_key == "POST /replay/{id}/pause"
    error_message = "such a route asks for IAM credentials, too"
  }

  assert {
    condition     = aws_lambda_permission.this["POST /replay/{id}/pause"].source_arn == "${aws_apigatewayv2_api.this.execution_arn}/*/POST/replay/*/pause" && aws_lambda_permission.this["POST /replay/{id}/pause"].statement_id == "AllowHttpApi-POST-replay-id-pause"
    error_message = "the permission holds for each value of the variable"
  }
}

run "takes_a_key" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/k"
  }

  assert {
    condition     = aws_cloudwatch_log_group.access.kms_key_id == var.kms_key_arn
    error_message = "the log is encrypted with the given key"
  }
}
