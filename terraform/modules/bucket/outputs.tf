# An object put before these are set would be unversioned, or encrypted in another way. The
# lifecycle is left out: it takes a minute, and no object needs it in its first hour.
output "name" {
  description = "Name of the bucket, once objects may be put into it."
  value       = aws_s3_bucket.this.bucket

  depends_on = [
    aws_s3_bucket_ownership_controls.this,
    aws_s3_bucket_policy.this,
    aws_s3_bucket_public_access_block.this,
    aws_s3_bucket_server_side_encryption_configuration.this,
    aws_s3_bucket_versioning.this,
  ]
}

output "arn" {
  description = "ARN of the bucket."
  value       = aws_s3_bucket.this.arn
}
