# Each value here is refused by a validation, before anything is planned.

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
    every_min = 0.5
  }

  expect_failures = [var.every_min]
}

run "refuses_what_is_no_function" {
  command = plan

  variables {
    function_arn = "arn:aws:sqs:eu-central-1:123456789012:queue"
  }

  expect_failures = [var.function_arn]
}
