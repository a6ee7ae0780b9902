# One DynamoDB table.

resource "aws_dynamodb_table" "this" {
  #checkov:skip=CKV_AWS_28:a variable that is on by default and off where data may go, as in envs/dev
  name                        = var.name
  billing_mode                = var.billing_mode
  read_capacity               = var.billing_mode == "PROVISIONED" ? var.read_capacity : null
  write_capacity              = var.billing_mode == "PROVISIONED" ? var.write_capacity : null
  hash_key                    = var.hash_key
  range_key                   = var.range_key == "" ? null : var.range_key
  deletion_protection_enabled = var.deletion_protection

  dynamic "attribute" {
    for_each = var.attributes
    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "global_secondary_index" {
    for_each = var.global_secondary_indexes
    iterator = index
    content {
      name               = index.key
      hash_key           = index.value.hash_key
      range_key          = index.value.range_key == "" ? null : index.value.range_key
      projection_type    = index.value.projection_type
      non_key_attributes = index.value.projection_type == "INCLUDE" ? index.value.non_key_attributes : null
      read_capacity      = var.billing_mode == "PROVISIONED" ? var.read_capacity : null
      write_capacity     = var.billing_mode == "PROVISIONED" ? var.write_capacity : null
    }
  }

  dynamic "ttl" {
    for_each = var.ttl_attribute == "" ? [] : [var.ttl_attribute]
    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  # Without a key of one's own this is the AWS managed key aws/dynamodb.
  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn == "" ? null : var.kms_key_arn
  }
}
