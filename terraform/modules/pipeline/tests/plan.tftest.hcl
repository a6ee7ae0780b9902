# The composition: names, settings, and what is protected.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name_prefix   = "millrace-test"
  region        = "eu-central-1"
  account_id    = "123456789012"
  artifacts_dir = "tests/zips"
  metrics_file  = "../../metrics/default.toml"
}

run "names_follow_from_the_prefix" {
  command = apply

  assert {
    condition     = output.stream_name == "millrace-test-events"
    error_message = "the stream carries the prefix"
  }

  assert {
    condition     = output.data_bucket == "millrace-test-data-123456789012" && output.artifacts_bucket == "millrace-test-artifacts-123456789012"
    error_message = "buckets carry prefix and account"
  }

  assert {
    condition     = output.tables == { for t in ["commits", "gate", "event_index", "aggregates", "markers", "assignments", "experiments", "manifests", "replays", "audit", "notes"] : t => "millrace-test-${t}" }
    error_message = "there are eleven tables"
  }

  assert {
    condition     = output.functions == { for s in ["ingest", "enrich", "aggregate", "archive", "export", "replay", "watch", "ingest_api", "replay_api", "operator_api", "investigate"] : s => "millrace-test-${s}" }
    error_message = "there are eleven functions"
  }

  assert {
    condition     = toset(keys(output.queue_urls)) == toset(["enrich", "aggregate", "archive", "replay", "replay_work", "failures"]) && keys(output.dlq_urls) == keys(output.queue_urls)
    error_message = "each consumer has a queue and a dead-letter queue"
  }

  assert {
    condition     = can(regex("^[0-9a-f]{8}$", output.stream_incarnation))
    error_message = "the incarnation has 8 hexadecimal digits"
  }

  assert {
    condition     = output.stream_arn == "arn:aws:kinesis:eu-central-1:123456789012:stream/millrace-test-events"
    error_message = "the ARN follows from the name"
  }

  assert {
    condition     = aws_s3_object.metrics.key == "config/metrics-${filesha256("../../metrics/default.toml")}.toml"
    error_message = "the key of the definitions is their content"
  }
}

run "each_function_gets_its_settings" {
  command = apply

  assert {
    condition     = toset(keys(local.functions.ingest.settings)) == toset(["STREAM_INCARNATION", "STREAM_ARN", "DATA_BUCKET", "COMMITS_TABLE", "GATE_TABLE", "ENRICH_QUEUE_URL", "GATE_TTL_DAYS", "MAX_FUTURE_SKEW_S", "MAX_EVENT_BYTES", "ALLOWED_LATENESS_S", "MAX_REJECTED_SHARE", "COMMIT_RESERVE_S"])
    error_message = "ingest has its settings"
  }

  assert {
    condition     = toset(keys(local.functions.enrich.settings)) == toset(["NOTES_TABLE", "DATA_BUCKET", "COMMITS_TABLE", "ASSIGNMENTS_TABLE", "EXPERIMENTS_TABLE", "EVENT_INDEX_TABLE", "INDEX_BUCKETS", "AGGREGATE_QUEUE_URL", "ARCHIVE_QUEUE_URL", "REPLAY_QUEUE_ARN", "REPLAYS_TABLE", "METRICS_KEY", "ARCHIVE_MAX_EVENTS", "ARCHIVE_MAX_BYTES", "ARCHIVE_COMPRESSION", "ARCHIVE_LEVEL", "ARCHIVE_PARTITIONS", "ASSIGNMENTS_TTL_S", "ABSENCE_TTL_S", "CACHED_ASSIGNMENTS", "CACHED_EXPERIMENTS"])
    error_message = "enrich has its settings"
  }

  assert {
    condition     = local.functions.enrich.settings.EVENT_INDEX_TABLE == "millrace-test-event_index" && local.functions.enrich.settings.INDEX_BUCKETS == "16"
    error_message = "enrich knows the index and its buckets"
  }

  assert {
    condition     = toset(keys(local.functions.aggregate.settings)) == toset(["NOTES_TABLE", "DATA_BUCKET", "COMMITS_TABLE", "AGGREGATES_TABLE", "MARKERS_TABLE", "REPLAYS_TABLE", "MARKER_TTL_DAYS", "HOT_SCOPES", "HOT_SCOPE_SHARDS", "DRY_RUN"])
    error_message = "aggregate has its settings"
  }

  assert {
    condition     = local.functions.aggregate.settings.HOT_SCOPES == "[]" && local.functions.aggregate.settings.DRY_RUN == "false"
    error_message = "nothing is hot and no run is dry unless somebody asks for it"
  }

  assert {
    condition     = toset(keys(local.functions.archive.settings)) == toset(["NOTES_TABLE", "DATA_BUCKET", "COMMITS_TABLE", "MANIFESTS_TABLE"])
    error_message = "archive has its settings"
  }

  assert {
    condition     = toset(keys(local.functions.export.settings)) == toset(["STREAM_INCARNATION", "STREAM_ARN", "DATA_BUCKET", "COMMITS_TABLE", "MANIFESTS_TABLE", "EXPORT_FORMAT", "EXPORT_COMPRESSION", "EXPORT_CLIENT_BUCKETS", "EXPORT_GRACE_S", "EXPORT_SEGMENTS", "EXPORT_UPLOADS", "EXPORT_SPILL_BYTES", "EXPORT_RESERVE_S"])
    error_message = "export has its settings"
  }

  assert {
    condition     = local.functions.export.settings.EXPORT_CLIENT_BUCKETS == "{}" && local.functions.export.settings.EXPORT_SPILL_BYTES == "256000000"
    error_message = "export spills to half of its room"
  }

  assert {
    condition     = toset(keys(local.functions.watch.settings)) == toset(["STREAM_INCARNATION", "STREAM_ARN", "DATA_BUCKET", "NOTES_TABLE", "COMMITS_TABLE", "ENRICH_QUEUE_URL", "OVERDUE_AFTER_S"])
    error_message = "watch has its settings"
  }

  assert {
    condition     = local.functions.ingest_api.settings == { STREAM_ARN = "arn:aws:kinesis:eu-central-1:123456789012:stream/millrace-test-events", MAX_FUTURE_SKEW_S = "300", MAX_EVENT_BYTES = "1048576", MAX_BODY_BYTES = "10485760" }
    error_message = "ingest_api has its settings, and judges events as ingest does"
  }

  assert {
    condition     = toset(keys(local.functions.replay_api.settings)) == toset(["DATA_BUCKET", "COMMITS_TABLE", "EVENT_INDEX_TABLE", "REPLAYS_TABLE", "METRICS_KEY", "REPLAY_QUEUE_URL", "REPLAY_WORK_QUEUE_URL", "REPLAY_TARGET_QUEUES", "REPLAY_API_MAX_EVENTS"])
    error_message = "replay_api has its settings"
  }

  assert {
    condition     = toset(keys(local.functions.operator_api.settings)) == toset(["NOTES_TABLE", "AUDIT_TABLE", "QUEUE_URLS", "DEAD_LETTER_URLS"])
    error_message = "operator_api has its settings"
  }

  assert {
    condition     = toset(keys(local.functions.investigate.settings)) == toset(["STREAM_INCARNATION", "STREAM_ARN", "DATA_BUCKET", "COMMITS_TABLE", "GATE_TABLE", "EVENT_INDEX_TABLE", "AGGREGATES_TABLE", "MANIFESTS_TABLE", "REPLAYS_TABLE", "NOTES_TABLE", "NAME_PREFIX", "FUNCTIONS", "SCHEDULES", "QUEUE_URLS", "DEAD_LETTER_URLS", "REPAIR_DAYS"]) && jsondecode(local.functions.investigate.settings.FUNCTIONS) == output.functions && jsondecode(local.functions.investigate.settings.SCHEDULES) == output.schedules
    error_message = "investigate has its settings"
  }

  assert {
    condition     = local.functions.replay_api.settings.REPLAY_TARGET_QUEUES == "{}" && local.functions.replay_api.settings.REPLAY_API_MAX_EVENTS == "50000"
    error_message = "replays go to the pipeline's own queue unless Terraform names another"
  }

  assert {
    condition     = local.common_settings == { LOG_LEVEL = "INFO", POWERTOOLS_METRICS_NAMESPACE = "Millrace/millrace-test" }
    error_message = "all know how much to log"
  }
}

run "replays_feed_enrich_beside_live_traffic" {
  command = apply

  assert {
    condition     = local.queue_functions == { enrich = "enrich", replay = "enrich", replay_work = "replay", aggregate = "aggregate", archive = "archive", failures = "watch" }
    error_message = "each queue feeds its function, and that of replays feeds enrich"
  }

  assert {
    condition     = toset(keys(module.queue_mappings)) == toset(keys(output.queue_urls)) && var.queues.replay.maximum_concurrency == 5
    error_message = "replays have a mapping of their own, with a bound of its own"
  }

  assert {
    condition     = local.functions.enrich.settings.REPLAY_QUEUE_ARN == "arn:aws:sqs:eu-central-1:123456789012:millrace-test-replay" && local.functions.enrich.settings.REPLAYS_TABLE == "millrace-test-replays"
    error_message = "enrich can tell a replay's messages, and knows the table of replays"
  }
}

run "replays_may_go_to_the_queues_that_are_named" {
  command = apply

  variables {
    replay = { target_queue_arns = ["arn:aws:sqs:eu-central-1:123456789012:mine"] }
  }

  assert {
    condition     = length(local.replay_targets) == 1 && local.replay_targets["arn:aws:sqs:eu-central-1:123456789012:mine"] == "https://sqs.eu-central-1.amazonaws.com/123456789012/mine"
    error_message = "the API knows the URL of each queue that is allowed"
  }
}

run "the_api_leads_to_its_functions" {
  command = apply

  assert {
    condition     = { for route, service in local.routes : route => service if !contains(["replay_api", "operator_api", "investigate"], service) } == { "POST /ingest" = "ingest_api" } && length(local.routes) == 18
    error_message = "one route takes events, six are for replays, three for dead letters, eight ask"
  }

  assert {
    condition     = alltrue([for route, service in local.routes : startswith(route, "GET ") if service == "investigate"])
    error_message = "asking changes nothing"
  }

  assert {
    condition     = output.api_endpoint == "https://mock.execute-api.eu-central-1.amazonaws.com" && output.api_execution_arn == "arn:aws:execute-api:eu-central-1:123456789012:mock"
    error_message = "the API's address is an output"
  }

  assert {
    condition     = module.http_api.access_log_group == "/aws/vendedlogs/millrace-test-api"
    error_message = "the API carries the prefix"
  }
}

run "producers_have_policies_to_attach" {
  command = apply

  assert {
    condition     = output.producer_policy_arn == "arn:aws:iam::123456789012:policy/mock" && output.api_producer_policy_arn == "arn:aws:iam::123456789012:policy/mock"
    error_message = "their ARNs are outputs"
  }

  assert {
    condition     = local.producer_statements.api.Send == { actions = ["execute-api:Invoke"], resources = ["arn:aws:execute-api:eu-central-1:123456789012:mock/*/POST/ingest"] }
    error_message = "a producer over HTTP may call POST /ingest and no other route"
  }
}

run "hot_scopes_reach_aggregate" {
  command = plan

  variables {
    hot_scopes = { scopes = ["TYPE#edit", "PAYLOAD#country#VALUE#de"], shards = 16 }
    dry_run    = true
  }

  assert {
    condition     = jsondecode(local.functions.aggregate.settings.HOT_SCOPES) == ["TYPE#edit", "PAYLOAD#country#VALUE#de"] && local.functions.aggregate.settings.HOT_SCOPE_SHARDS == "16"
    error_message = "the list is JSON, as the function's settings take it"
  }

  assert {
    condition     = local.functions.aggregate.settings.DRY_RUN == "true"
    error_message = "a dry run is a setting"
  }
}

run "the_archive_is_a_table" {
  command = apply

  variables {
    archive_partitions = "dt={year}-{month}-{day}/h={hour}"
  }

  assert {
    condition     = output.athena == { database = "millrace_test", table = "archive", workgroup = "millrace-test" }
    error_message = "the catalog carries the prefix"
  }
}

run "without_a_catalog" {
  command = apply

  variables {
    catalog = { enabled = false }
  }

  assert {
    condition     = output.athena == null
    error_message = "there is no table then"
  }
}

run "discarded_batches_are_kept_and_told_of" {
  command = apply

  variables {
    stream_mapping = { maximum_retry_attempts = 3, maximum_record_age_s = 3600, bisect_on_error = false }
  }

  assert {
    condition     = module.stream_mapping.destination_arn == "arn:aws:s3:::millrace-test-data-123456789012"
    error_message = "the mapping gives batches up into the data bucket"
  }

  assert {
    condition     = local.discarded_prefix == "aws/lambda/" && local.discarded_lifecycle.discarded.expiration_days == 30 && output.repair_days == 30
    error_message = "they are kept for as long as their duplicates are known"
  }

  assert {
    condition     = contains(keys(output.queue_urls), "failures") && contains(keys(output.dlq_urls), "failures")
    error_message = "a queue with dead letters of its own tells watch of them"
  }
}
