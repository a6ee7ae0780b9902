# Each value here is refused by a validation, before anything is planned.

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

run "refuses_a_name_with_spaces" {
  command = plan

  variables {
    name = "an api"
  }

  expect_failures = [var.name]
}

run "refuses_a_route_without_method" {
  command = plan

  variables {
    routes = {
      "/ingest" = {
        function_name = "f"
        function_arn  = "arn:aws:lambda:eu-central-1:123456789012:function:f"
      }
    }
  }

  expect_failures = [var.routes]
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

run "refuses_to_refuse_everything" {
  command = plan

  variables {
    throttling = { rate = 0, burst = 100 }
  }

  expect_failures = [var.throttling]
}

run "refuses_a_log_that_is_not_kept" {
  command = plan

  variables {
    log_retention_days = 0
  }

  expect_failures = [var.log_retention_days]
}

run "refuses_a_key_that_is_no_arn" {
  command = plan

  variables {
    kms_key_arn = "alias/k"
  }

  expect_failures = [var.kms_key_arn]
}
