# Each value here is refused by a validation, before anything is planned.

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

run "refuses_a_name_with_spaces" {
  command = plan

  variables {
    name = "a name"
  }

  expect_failures = [var.name]
}

run "refuses_seconds" {
  command = plan

  variables {
    expression = "rate(30 seconds)"
  }

  expect_failures = [var.expression]
}

run "refuses_what_is_no_function" {
  command = plan

  variables {
    function_arn = "arn:aws:sqs:eu-central-1:123456789012:queue"
  }

  expect_failures = [var.function_arn]
}
