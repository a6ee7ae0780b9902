# A rule invokes its function, and only that rule may.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name          = "millrace-test-watch"
  description   = "Looks at the pipeline"
  every_min     = 1
  function_name = "millrace-test-watch"
  function_arn  = "arn:aws:lambda:eu-central-1:123456789012:function:millrace-test-watch"
}

run "every_minute" {
  command = plan

  assert {
    condition     = aws_cloudwatch_event_rule.this.schedule_expression == "rate(1 minute)"
    error_message = "one minute is singular"
  }

  assert {
    condition     = aws_cloudwatch_event_target.this.arn == var.function_arn && aws_lambda_permission.this.principal == "events.amazonaws.com"
    error_message = "EventBridge invokes the function"
  }
}

run "every_five_minutes" {
  command = plan

  variables {
    every_min = 5
  }

  assert {
    condition     = aws_cloudwatch_event_rule.this.schedule_expression == "rate(5 minutes)"
    error_message = "more are plural"
  }
}
