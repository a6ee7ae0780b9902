# Millrace in production: nothing is deleted or overwritten by accident. `make deploy ENV=prod`.
terraform {
  required_version = "~> 1.11"
  backend "s3" { use_lockfile = true } # bucket, key and region: scripts/deploy tells them
  required_providers {
    aws = { source = "hashicorp/aws", version = "= 5.100.0" }
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]
  default_tags { tags = { project = "millrace", environment = "prod", stack = var.name_prefix, managed_by = "terraform" } }
}

module "pipeline" {
  source                 = "../../modules/pipeline"
  name_prefix            = var.name_prefix
  region                 = var.region
  account_id             = var.account_id
  artifacts_dir          = var.artifacts_dir
  metrics_file           = "../../metrics/default.toml"
  alarm_emails           = var.alarm_emails
  stream                 = { shard_count = 2, retention_h = 168 }
  stream_mapping         = { maximum_record_age_s = 518400 } # a day before the stream drops a record
  log_retention_days     = 365
  kms_key_arn            = var.kms_key_arn
  enforce_tls            = true
  enforce_if_none_match  = true
  point_in_time_recovery = true
  deletion_protection    = true
  force_destroy          = false
}

output "pipeline" {
  description = "Where everything is: the outputs of modules/pipeline."
  value       = module.pipeline
}
