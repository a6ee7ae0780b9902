# A bucket is private, versioned and encrypted.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name = "millrace-test-data-123456789012"
}

run "is_private_versioned_and_encrypted" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "public access is blocked in all four ways"
  }

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "the bucket is versioned"
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "objects are encrypted with S3's keys"
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.this.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "access lists are off"
  }

  assert {
    condition     = !aws_s3_bucket.this.force_destroy && length(aws_s3_bucket_policy.this) == 1
    error_message = "a bucket with objects stays, and has a policy"
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.id] == ["abort-incomplete-uploads"]
    error_message = "incomplete uploads are removed, nothing else"
  }
}

run "objects_age_by_prefix" {
  command = plan

  variables {
    lifecycle_rules = {
      enriched = { prefix = "enriched/", expiration_days = 30 }
      raw      = { prefix = "raw/", transitions = { STANDARD_IA = 90 } }
    }
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.filter[0].prefix if rule.id == "enriched"] == ["enriched/"]
    error_message = "the rule holds for its prefix"
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.expiration[0].days if rule.id == "enriched"] == [30]
    error_message = "objects expire on the given day"
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.this.rule : tolist(rule.transition)[0].storage_class if rule.id == "raw"] == ["STANDARD_IA"]
    error_message = "objects change to the given storage class"
  }
}

run "takes_a_key" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/k"
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.kms_key_arn
    error_message = "objects are encrypted with the given key"
  }
}

run "has_no_policy_without_rules" {
  command = plan

  variables {
    enforce_tls           = false
    enforce_if_none_match = false
    write_once_prefixes   = ["raw/"]
  }

  assert {
    condition     = length(aws_s3_bucket_policy.this) == 0
    error_message = "no empty policy is put"
  }
}

run "tells_nobody_unless_asked" {
  command = plan

  assert {
    condition     = length(aws_s3_bucket_notification.this) == 0
    error_message = "there is no configuration of notifications"
  }
}

run "tells_a_queue_of_new_objects" {
  command = plan

  variables {
    told_queues = { news = { prefix = "aws/lambda/", queue_arn = "arn:aws:sqs:eu-central-1:123456789012:failures" } }
  }

  assert {
    condition     = one(aws_s3_bucket_notification.this[0].queue).filter_prefix == "aws/lambda/" && one(aws_s3_bucket_notification.this[0].queue).queue_arn == "arn:aws:sqs:eu-central-1:123456789012:failures"
    error_message = "the queue hears of objects below the prefix"
  }

  assert {
    condition     = one(aws_s3_bucket_notification.this[0].queue).events == toset(["s3:ObjectCreated:*"])
    error_message = "of new ones, however they come"
  }
}
