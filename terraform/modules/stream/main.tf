# One Kinesis stream, and the name of its present life.

resource "aws_kinesis_stream" "this" {
  name             = var.name
  retention_period = var.retention_h
  shard_count      = var.mode == "PROVISIONED" ? var.shard_count : null
  encryption_type  = "KMS"
  kms_key_id       = var.kms_key_id

  stream_mode_details {
    stream_mode = var.mode
  }
}

# Shard ids and sequence numbers start again when a stream is recreated under the same name. The
# stream's id is unknown while it is being made, whatever the reason (replace_triggered_by would
# miss a stream that was deleted by hand), and known through a resize or a longer retention.
resource "terraform_data" "incarnation" {
  triggers_replace = aws_kinesis_stream.this.id
}
