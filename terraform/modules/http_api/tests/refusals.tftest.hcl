# Each value here is refused by a validation, before anything is planned. A run costs the start of a
# provider, so it holds as many values as do not touch each other: all that it names must fail.

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
  }
}

run "refuses_values_beyond_their_bounds" {
  command = plan

  variables {
    # A name with spaces.
    name = "an api"
    # A route without method.
    routes = {
      "/ingest" = {
        function_name = "f"
        function_arn  = "arn:aws:lambda:eu-central-1:123456789012:function:f"
      }
    }
    # A throttle that lets nothing through.
    throttling = { rate = 0, burst = 100 }
    # A log that is not kept.
    log_retention_days = 0
    # A key that is no ARN.
    kms_key_arn = "alias/k"
  }

  expect_failures = [
    var.name, var.routes, var.throttling, var.log_retention_days, var.kms_key_arn,
  ]
}

run "refuses_a_path_whose_variable_does_not_end" {
  command = plan

  variables {
    routes = {
      "GET /replay/{id" = {
        function_name = "f"
        function_arn  = "arn:aws:lambda:eu-central-1:123456789012:function:f"
      }
    }
  }

  expect_failures = [var.routes]
}

run "refuses_a_greedy_variable_within_a_path" {
  command = plan

  variables {
    routes = {
      "GET /entities/{id+}/events" = {
        function_name = "f"
        function_arn  = "arn:aws:lambda:eu-central-1:123456789012:function:f"
      }
    }
  }

  expect_failures = [var.routes]
}

run "refuses_no_route" {
  command = plan

  variables {
    routes = {}
  }

  expect_failures = [var.routes]
}

run "refuses_what_is_no_function" {
  command = plan

  variables {
    routes = {
      "POST /ingest" = {
        function_name = "f"
        function_arn  = "arn:aws:sqs:eu-central-1:123456789012:queue"
      }
    }
  }

  expect_failures = [var.routes]
}

run "refuses_a_wait_that_no_http_api_has" {
  command = plan

  variables {
    routes = {
      "POST /ingest" = {
        function_name = "f"
        function_arn  = "arn:aws:lambda:eu-central-1:123456789012:function:f"
        timeout_ms    = 31000
      }
    }
  }

  expect_failures = [var.routes]
}
