# One private, versioned, encrypted S3 bucket.

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:who read what is for CloudTrail's data events, which the account has or has not
  #checkov:skip=CKV_AWS_19:encrypted by the configuration below, whose condition checkov cannot follow
  #checkov:skip=CKV_AWS_144:a copy in another region is the account's decision, by law and by cost
  #checkov:skip=CKV_AWS_145:encrypted with kms_key_arn where one is given, else with S3's own keys
  #checkov:skip=CKV2_AWS_62:work travels by references on queues; told of objects is who var.told_queues names
  bucket        = var.name
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    bucket_key_enabled = var.kms_key_arn != ""

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == "" ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn == "" ? null : var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

# S3 holds one lifecycle configuration a bucket: a second resource would overwrite this one.
resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "abort-incomplete-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  dynamic "rule" {
    for_each = var.lifecycle_rules
    content {
      id     = rule.key
      status = "Enabled"

      filter {
        prefix = rule.value.prefix
      }

      dynamic "transition" {
        for_each = rule.value.transitions
        content {
          days          = transition.value
          storage_class = transition.key
        }
      }

      dynamic "expiration" {
        for_each = rule.value.expiration_days > 0 ? [rule.value.expiration_days] : []
        content {
          days = expiration.value
        }
      }

      dynamic "noncurrent_version_expiration" {
        for_each = rule.value.noncurrent_expiration_days > 0 ? [rule.value.noncurrent_expiration_days] : []
        content {
          noncurrent_days = noncurrent_version_expiration.value
        }
      }
    }
  }

  # Rules about versions count only in a versioned bucket.
  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_policy" "this" {
  count = local.has_policy ? 1 : 0

  bucket = aws_s3_bucket.this.id
  policy = data.aws_iam_policy_document.this.json

  # S3 refuses two changes of a bucket's access at the same moment.
  depends_on = [aws_s3_bucket_public_access_block.this]
}

# S3 holds one configuration of notifications a bucket, as of lifecycles.
resource "aws_s3_bucket_notification" "this" {
  count = length(var.told_queues) > 0 ? 1 : 0

  bucket = aws_s3_bucket.this.id

  dynamic "queue" {
    for_each = var.told_queues
    content {
      id            = queue.key
      queue_arn     = queue.value.queue_arn
      events        = ["s3:ObjectCreated:*"]
      filter_prefix = queue.value.prefix
    }
  }
}
