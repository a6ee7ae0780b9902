# The HTTP front door: signed requests become records of the stream.

module "http_api" {
  source = "../http_api"

  name               = "${var.name_prefix}-api"
  description        = "Takes events over HTTP"
  throttling         = var.api_throttling
  log_retention_days = var.log_retention_days
  kms_key_arn        = var.kms_key_arn

  routes = {
    "POST /ingest" = {
      function_name = module.functions["ingest_api"].name
      function_arn  = module.functions["ingest_api"].arn
    }
  }
}
