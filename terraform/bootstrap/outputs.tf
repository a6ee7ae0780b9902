output "bucket" {
  description = "Name of the bucket, once states may be put into it."
  value       = module.state_bucket.name
}
