# The HTTP API: signed requests become records of the stream, steer replays, redrive dead letters, or
# ask what happened.

locals {
  routes = {
    "POST /ingest"              = "ingest_api"
    "POST /replay"              = "replay_api"
    "GET /replays"              = "replay_api"
    "GET /replay/{id}"          = "replay_api"
    "POST /replay/{id}/pause"   = "replay_api"
    "POST /replay/{id}/resume"  = "replay_api"
    "POST /replay/{id}/cancel"  = "replay_api"
    "GET /dlq"                  = "operator_api"
    "GET /dlq/{queue}"          = "operator_api"
    "POST /dlq/{queue}/redrive" = "operator_api"
    # Greedy: ids hold slashes, and the gateway decodes a path before it looks for its route.
    "GET /events/{id+}"     = "investigate"
    "GET /entities/{path+}" = "investigate"
    "GET /lag"              = "investigate"
    "GET /duplicates"       = "investigate"
    "GET /late"             = "investigate"
    "GET /sources"          = "investigate"
    "GET /aggregates"       = "investigate"
    "GET /status"           = "investigate"
  }
}

module "http_api" {
  source = "../http_api"

  name               = "${var.name_prefix}-api"
  description        = "Takes events and starts replays over HTTP"
  throttling         = var.api_throttling
  log_retention_days = var.log_retention_days
  kms_key_arn        = var.kms_key_arn

  routes = {
    for route, service in local.routes : route => {
      function_name = module.functions[service].name
      function_arn  = module.functions[service].arn
    }
  }
}
