# A table is encrypted, restorable and protected unless told otherwise.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name       = "millrace-test-commits"
  attributes = { shard = "S", seq = "S" }
  hash_key   = "shard"
  range_key  = "seq"
}

run "is_safe_by_default" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.this.server_side_encryption[0].enabled
    error_message = "the table is encrypted"
  }

  assert {
    condition     = aws_dynamodb_table.this.point_in_time_recovery[0].enabled && aws_dynamodb_table.this.deletion_protection_enabled
    error_message = "the table can be restored and not be deleted"
  }

  assert {
    condition     = aws_dynamodb_table.this.billing_mode == "PAY_PER_REQUEST" && aws_dynamodb_table.this.hash_key == "shard" && aws_dynamodb_table.this.range_key == "seq"
    error_message = "the keys are the given ones, paid by request"
  }

  assert {
    condition     = length(aws_dynamodb_table.this.ttl) == 0
    error_message = "items do not expire unless an attribute is named"
  }
}

run "has_indexes_and_expiry" {
  command = plan

  variables {
    ttl_attribute = "expires_at"
    attributes    = { shard = "S", seq = "S", unfinished = "S" }

    global_secondary_indexes = {
      unfinished = { hash_key = "unfinished", projection_type = "KEYS_ONLY" }
    }
  }

  assert {
    condition     = aws_dynamodb_table.this.ttl[0].enabled && aws_dynamodb_table.this.ttl[0].attribute_name == "expires_at"
    error_message = "items expire by the named attribute"
  }

  assert {
    condition     = one(aws_dynamodb_table.this.global_secondary_index).name == "unfinished" && one(aws_dynamodb_table.this.global_secondary_index).projection_type == "KEYS_ONLY"
    error_message = "the index projects what was asked for"
  }
}

run "takes_capacity_and_a_key" {
  command = plan

  variables {
    billing_mode   = "PROVISIONED"
    read_capacity  = 7
    write_capacity = 9
    kms_key_arn    = "arn:aws:kms:eu-central-1:123456789012:key/k"
  }

  assert {
    condition     = aws_dynamodb_table.this.read_capacity == 7 && aws_dynamodb_table.this.write_capacity == 9
    error_message = "the capacities are the given ones"
  }

  assert {
    condition     = endswith(aws_dynamodb_table.this.server_side_encryption[0].kms_key_arn, "key/k")
    error_message = "the table is encrypted with the given key"
  }
}
