# A rule invokes its function, and only that rule may.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name          = "millrace-test-watch"
  description   = "Looks at the pipeline"
  expression    = "rate(1 minute)"
  function_name = "millrace-test-watch"
  function_arn  = "arn:aws:lambda:eu-central-1:123456789012:function:millrace-test-watch"
}

run "every_minute" {
  command = plan

  assert {
    condition     = aws_cloudwatch_event_rule.this.schedule_expression == "rate(1 minute)"
    error_message = "the rate is the rule's"
  }

  assert {
    condition     = aws_cloudwatch_event_target.this.arn == var.function_arn && aws_lambda_permission.this.principal == "events.amazonaws.com"
    error_message = "EventBridge invokes the function"
  }
}

run "five_past_each_hour" {
  command = plan

  variables {
    expression = "cron(5 * * * ? *)"
  }

  assert {
    condition     = aws_cloudwatch_event_rule.this.schedule_expression == "cron(5 * * * ? *)"
    error_message = "the times are the rule's"
  }
}
