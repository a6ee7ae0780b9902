# Millrace on the local engine: AWS_ENDPOINT_URL says where it listens.
terraform {
  required_version = "~> 1.11"
  backend "local" {}
  required_providers {
    aws = { source = "hashicorp/aws", version = "= 5.100.0" }
  }
}

provider "aws" {
  region                      = var.region
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  default_tags { tags = { project = "millrace", environment = "local", managed_by = "terraform" } }
}

module "pipeline" {
  source                   = "../../modules/pipeline"
  name_prefix              = var.name_prefix
  region                   = var.region
  account_id               = "000000000000"
  artifacts_dir            = var.artifacts_dir
  metrics_file             = var.metrics_file
  functions                = { for name in ["ingest", "enrich", "aggregate", "archive", "replay", "watch"] : name => { timeout_s = var.timeout_s } }
  overdue_after_s          = var.timeout_s
  queues                   = { for name in ["enrich", "aggregate", "archive", "replay", "replay_work", "failures"] : name => { visibility_timeout_s = var.timeout_s, max_receive_count = 5, maximum_concurrency = contains(["enrich", "aggregate", "archive"], name) ? 10 : 2 } }
  stream_mapping           = { batch_window_s = 1, bisect_on_error = false }
  visibility_timeout_ratio = 1
  replay                   = { look_again_s = 1, live_lag_s = 5, backlog = 2000 } # all functions share one machine here
  catalog                  = { enabled = false }                                  # Glue and Athena ask for the account that is skipped above
  enforce_tls              = false
  enforce_if_none_match    = false
  point_in_time_recovery   = false
  deletion_protection      = false
  force_destroy            = true
}
