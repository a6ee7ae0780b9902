# Millrace for development: it may go, and its data with it. `make deploy ENV=dev` applies it.
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
  s3_use_path_style   = var.local_engine
  default_tags { tags = { project = "millrace", environment = "dev", stack = var.name_prefix, managed_by = "terraform" } }
}

module "pipeline" {
  source                 = "../../modules/pipeline"
  name_prefix            = var.name_prefix
  region                 = var.region
  account_id             = var.account_id
  artifacts_dir          = var.artifacts_dir
  metrics_file           = "../../metrics/default.toml"
  alarm_emails           = var.alarm_emails
  enforce_tls            = !var.local_engine
  enforce_if_none_match  = !var.local_engine
  point_in_time_recovery = false
  deletion_protection    = false
  force_destroy          = true
}

output "pipeline" {
  description = "Where everything is: the outputs of modules/pipeline."
  # The engine serves <id>.execute-api.<its address>, a name that resolves nowhere, below a path too.
  value = merge(module.pipeline, { for name, url in {
    api_endpoint = replace(module.pipeline.api_endpoint, "/^(https?:..)([^.]+)[.]execute-api[.](.+)$/", "$1$3/_aws/execute-api/$2")
  } : name => url if var.local_engine })
}
