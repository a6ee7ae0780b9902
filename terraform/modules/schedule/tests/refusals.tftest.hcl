# Each value here is refused by a validation, before anything is planned. A run costs the start of a
# provider, so it holds as many values as do not touch each other: all that it names must fail.

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

run "refuses_values_beyond_their_bounds" {
  command = plan

  variables {
    # A name with spaces.
    name = "a name"
    # A schedule of seconds.
    expression = "rate(30 seconds)"
    # What is no function.
    function_arn = "arn:aws:sqs:eu-central-1:123456789012:queue"
  }

  expect_failures = [
    var.name, var.expression, var.function_arn,
  ]
}
