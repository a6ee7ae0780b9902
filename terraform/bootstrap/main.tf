# The bucket of an environment's Terraform states: versioned, encrypted, private, TLS only.
# `make bootstrap` applies it once; its own state lies in it afterwards.
terraform {
  required_version = "~> 1.11"
  backend "local" {} # path: scripts/deploy tells it
  required_providers {
    aws = { source = "hashicorp/aws", version = "= 5.100.0" }
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]
  s3_use_path_style   = var.local_engine
  default_tags { tags = { project = "millrace", environment = var.environment, managed_by = "terraform" } }
}

module "state_bucket" {
  source = "../modules/bucket"

  name        = var.bucket
  enforce_tls = !var.local_engine
  kms_key_arn = var.kms_key_arn

  # A state that was overwritten can be had back for a year.
  lifecycle_rules = {
    replaced-states = { prefix = "", noncurrent_expiration_days = 365 }
  }
}

# A module's resource cannot be protected from here, but a destroy of everything stops at this.
resource "terraform_data" "guard" {
  input = module.state_bucket.name

  lifecycle {
    prevent_destroy = true
  }
}
