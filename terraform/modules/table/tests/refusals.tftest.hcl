# Each value here is refused by a validation, before anything is planned. A run costs the start of a
# provider, so it holds as many values as do not touch each other: all that it names must fail.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name       = "millrace-test-commits"
  attributes = { shard = "S", seq = "S" }
  hash_key   = "shard"
  range_key  = "seq"
}

run "refuses_values_beyond_their_bounds" {
  command = plan

  variables {
    # A short name.
    name = "ab"
    # An unknown attribute type.
    attributes = { shard = "S", seq = "STRING" }
    # An unknown billing mode.
    billing_mode = "FREE"
    # No read capacity.
    read_capacity = 0
    # No write capacity.
    write_capacity = 0
    # A key that is no ARN.
    kms_key_arn = "alias/mine"
  }

  expect_failures = [
    var.name, var.attributes, var.billing_mode, var.read_capacity, var.write_capacity,
    var.kms_key_arn,
  ]
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
