# What each function is told: all that its settings model reads, nothing else (`make docs-check`).
# Queue URLs, region and account reach it here, never by lookup.

locals {
  common_settings = {
    LOG_LEVEL                    = var.log_level
    POWERTOOLS_METRICS_NAMESPACE = local.metrics_namespace
  }

  functions = {
    ingest = {
      description = "Validates, deduplicates and stores records of the stream"
      settings = {
        STREAM_INCARNATION = module.stream.incarnation
        STREAM_ARN         = local.stream_arn
        DATA_BUCKET        = local.data_bucket
        COMMITS_TABLE      = local.table_names.commits
        GATE_TABLE         = local.table_names.gate
        ENRICH_QUEUE_URL   = module.queues["enrich"].url
        GATE_TTL_DAYS      = tostring(var.gate_ttl_days)
        MAX_FUTURE_SKEW_S  = tostring(var.max_future_skew_s)
        MAX_EVENT_BYTES    = tostring(var.max_event_bytes)
        ALLOWED_LATENESS_S = tostring(var.allowed_lateness_s)
        MAX_REJECTED_SHARE = tostring(var.max_rejected_share)
        COMMIT_RESERVE_S   = tostring(var.commit_reserve_s)
      }
    }
    enrich = {
      description = "Adds experiments and assignments to the events of a commit"
      settings = {
        NOTES_TABLE         = local.table_names.notes
        DATA_BUCKET         = local.data_bucket
        COMMITS_TABLE       = local.table_names.commits
        ASSIGNMENTS_TABLE   = local.table_names.assignments
        EXPERIMENTS_TABLE   = local.table_names.experiments
        EVENT_INDEX_TABLE   = local.table_names.event_index
        INDEX_BUCKETS       = tostring(var.index_buckets)
        AGGREGATE_QUEUE_URL = module.queues["aggregate"].url
        ARCHIVE_QUEUE_URL   = module.queues["archive"].url
        REPLAY_QUEUE_ARN    = local.queue_arns.replay
        REPLAYS_TABLE       = local.table_names.replays
        METRICS_KEY         = aws_s3_object.metrics.key
        # Stamped on the enriched object, so that every attempt to archive it cuts alike.
        ASSIGNMENTS_TTL_S   = tostring(var.assignment_cache.ttl_s)
        ABSENCE_TTL_S       = tostring(var.assignment_cache.absence_ttl_s)
        CACHED_ASSIGNMENTS  = tostring(var.assignment_cache.assignments)
        CACHED_EXPERIMENTS  = tostring(var.assignment_cache.experiments)
        ARCHIVE_MAX_EVENTS  = tostring(var.archive_max_events)
        ARCHIVE_MAX_BYTES   = tostring(var.archive_max_bytes)
        ARCHIVE_COMPRESSION = var.archive_compression
        ARCHIVE_LEVEL       = tostring(var.archive_level)
        ARCHIVE_PARTITIONS  = var.archive_partitions
      }
    }
    aggregate = {
      description = "Counts the events of a commit into windows"
      settings = {
        NOTES_TABLE      = local.table_names.notes
        DATA_BUCKET      = local.data_bucket
        COMMITS_TABLE    = local.table_names.commits
        AGGREGATES_TABLE = local.table_names.aggregates
        MARKERS_TABLE    = local.table_names.markers
        REPLAYS_TABLE    = local.table_names.replays
        MARKER_TTL_DAYS  = tostring(var.marker_ttl_days)
        HOT_SCOPES       = jsonencode(var.hot_scopes.scopes)
        HOT_SCOPE_SHARDS = tostring(var.hot_scopes.shards)
        DRY_RUN          = tostring(var.dry_run)
      }
    }
    archive = {
      description = "Files the events of a commit by the hour they happened in"
      settings = {
        NOTES_TABLE     = local.table_names.notes
        DATA_BUCKET     = local.data_bucket
        COMMITS_TABLE   = local.table_names.commits
        MANIFESTS_TABLE = local.table_names.manifests
      }
    }
    export = {
      description = "Writes each hour of the archive as one file a client"
      settings = {
        STREAM_INCARNATION    = module.stream.incarnation
        STREAM_ARN            = local.stream_arn
        DATA_BUCKET           = local.data_bucket
        COMMITS_TABLE         = local.table_names.commits
        MANIFESTS_TABLE       = local.table_names.manifests
        EXPORT_FORMAT         = var.export.format
        EXPORT_COMPRESSION    = var.export.compression
        EXPORT_CLIENT_BUCKETS = jsonencode(var.export.client_buckets)
        EXPORT_GRACE_S        = tostring(var.export.grace_s)
        EXPORT_RESERVE_S      = tostring(var.export.reserve_s)
        EXPORT_SEGMENTS       = tostring(var.export.segments)
        EXPORT_UPLOADS        = tostring(var.export.uploads)
        EXPORT_SPILL_BYTES    = tostring(var.export.storage_mb * 500000) # half of /tmp: an estimate may be wrong
      }
    }
    replay = {
      description = "Sends the messages of replay plans, at a rate that spares live traffic"
      settings = {
        NOTES_TABLE           = local.table_names.notes
        DATA_BUCKET           = local.data_bucket
        COMMITS_TABLE         = local.table_names.commits
        REPLAYS_TABLE         = local.table_names.replays
        REPLAY_QUEUE_URL      = module.queues["replay"].url
        REPLAY_WORK_QUEUE_URL = module.queues["replay_work"].url
        REPLAY_LIVE_LAG_S     = tostring(var.replay.live_lag_s)
        REPLAY_BACKLOG        = tostring(var.replay.backlog)
        REPLAY_LOOK_AGAIN_S   = tostring(var.replay.look_again_s)
      }
    }
    watch = {
      description = "Sends overdue references, notes discarded batches, reports what is unfinished"
      settings = {
        STREAM_INCARNATION = module.stream.incarnation
        STREAM_ARN         = local.stream_arn
        DATA_BUCKET        = local.data_bucket
        NOTES_TABLE        = local.table_names.notes
        COMMITS_TABLE      = local.table_names.commits
        ENRICH_QUEUE_URL   = module.queues["enrich"].url
        OVERDUE_AFTER_S    = tostring(var.overdue_after_s)
      }
    }
    ingest_api = {
      description = "Puts events of HTTP requests on the stream"
      settings = {
        STREAM_ARN        = local.stream_arn
        MAX_FUTURE_SKEW_S = tostring(var.max_future_skew_s)
        MAX_EVENT_BYTES   = tostring(var.max_event_bytes)
        MAX_BODY_BYTES    = tostring(var.max_body_bytes)
      }
    }
    replay_api = {
      description = "Plans, starts and steers replays over HTTP"
      settings = {
        DATA_BUCKET           = local.data_bucket
        COMMITS_TABLE         = local.table_names.commits
        EVENT_INDEX_TABLE     = local.table_names.event_index
        REPLAYS_TABLE         = local.table_names.replays
        METRICS_KEY           = aws_s3_object.metrics.key
        REPLAY_QUEUE_URL      = module.queues["replay"].url
        REPLAY_WORK_QUEUE_URL = module.queues["replay_work"].url
        REPLAY_TARGET_QUEUES  = jsonencode(local.replay_targets)
        REPLAY_API_MAX_EVENTS = tostring(var.replay.api_max_events)
      }
    }
    operator_api = {
      description = "Shows dead letters and sends them back over HTTP"
      settings = {
        NOTES_TABLE      = local.table_names.notes
        AUDIT_TABLE      = local.table_names.audit
        QUEUE_URLS       = jsonencode({ for name, queue in module.queues : name => queue.url })
        DEAD_LETTER_URLS = jsonencode({ for name, queue in module.queues : name => queue.dead_letter_url })
      }
    }
    investigate = {
      description = "Answers over HTTP what happened to events, entities and sources"
      settings = {
        STREAM_INCARNATION = module.stream.incarnation
        STREAM_ARN         = local.stream_arn
        DATA_BUCKET        = local.data_bucket
        COMMITS_TABLE      = local.table_names.commits
        GATE_TABLE         = local.table_names.gate
        EVENT_INDEX_TABLE  = local.table_names.event_index
        AGGREGATES_TABLE   = local.table_names.aggregates
        MANIFESTS_TABLE    = local.table_names.manifests
        REPLAYS_TABLE      = local.table_names.replays
        NOTES_TABLE        = local.table_names.notes
        NAME_PREFIX        = var.name_prefix
        FUNCTIONS          = jsonencode({ for service in keys(var.functions) : service => "${var.name_prefix}-${service}" })
        SCHEDULES          = jsonencode(local.schedule_names)
        QUEUE_URLS         = jsonencode({ for name, queue in module.queues : name => queue.url })
        DEAD_LETTER_URLS   = jsonencode({ for name, queue in module.queues : name => queue.dead_letter_url })
        REPAIR_DAYS        = tostring(var.gate_ttl_days)
      }
    }
  }
}
