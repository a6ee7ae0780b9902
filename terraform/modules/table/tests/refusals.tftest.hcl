# Each value here is refused by a validation, before anything is planned.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name       = "millrace-test-commits"
  attributes = { shard = "S", seq = "S" }
  hash_key   = "shard"
  range_key  = "seq"
}

run "refuses_a_short_name" {
  command = plan

  variables {
    name = "ab"
  }

  expect_failures = [var.name]
}

run "refuses_an_unknown_attribute_type" {
  command = plan

  variables {
    attributes = { shard = "S", seq = "STRING" }
  }

  expect_failures = [var.attributes]
}

run "refuses_an_attribute_that_is_no_key" {
  command = plan

  variables {
    attributes = { shard = "S", seq = "S", colour = "S" }
  }

  expect_failures = [var.attributes]
}

run "refuses_an_unknown_projection" {
  command = plan

  variables {
    global_secondary_indexes = { by_seq = { hash_key = "seq", projection_type = "SOME" } }
  }

  expect_failures = [var.global_secondary_indexes]
}

run "refuses_an_unknown_billing_mode" {
  command = plan

  variables {
    billing_mode = "FREE"
  }

  expect_failures = [var.billing_mode]
}

run "refuses_no_read_capacity" {
  command = plan

  variables {
    read_capacity = 0
  }

  expect_failures = [var.read_capacity]
}

run "refuses_no_write_capacity" {
  command = plan

  variables {
    write_capacity = 0
  }

  expect_failures = [var.write_capacity]
}

run "refuses_a_key_that_is_no_arn" {
  command = plan

  variables {
    kms_key_arn = "alias/mine"
  }

  expect_failures = [var.kms_key_arn]
}
