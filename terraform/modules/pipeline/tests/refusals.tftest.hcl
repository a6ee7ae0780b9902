# Each value here is refused by a validation, before anything is planned.

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

run "refuses_an_upper_case_prefix" {
  command = plan

  variables {
    name_prefix = "Millrace"
  }

  expect_failures = [var.name_prefix]
}

run "refuses_a_region_that_is_a_zone" {
  command = plan

  variables {
    region = "eu-central-1a"
  }

  expect_failures = [var.region]
}

run "refuses_a_short_account_id" {
  command = plan

  variables {
    account_id = "123"
  }

  expect_failures = [var.account_id]
}

run "refuses_metrics_that_are_not_there" {
  command = plan

  variables {
    metrics_file = "tests/missing.toml"
  }

  expect_failures = [var.metrics_file]
}

run "refuses_a_visibility_below_six_timeouts" {
  command = plan

  variables {
    queues = { archive = { visibility_timeout_s = 359 } }
  }

  expect_failures = [var.queues]
}

run "refuses_a_visibility_of_replays_below_six_timeouts_of_enrich" {
  command = plan

  variables {
    functions = { enrich = { timeout_s = 61 } }
    queues    = { enrich = { visibility_timeout_s = 366 }, replay = { visibility_timeout_s = 365 } }
  }

  expect_failures = [var.queues]
}

run "refuses_a_ratio_below_one" {
  command = plan

  variables {
    visibility_timeout_ratio = 0.5
  }

  expect_failures = [var.visibility_timeout_ratio]
}

run "refuses_an_old_runtime" {
  command = plan

  variables {
    runtime = "python3.9"
  }

  expect_failures = [var.runtime]
}

run "refuses_an_unknown_architecture" {
  command = plan

  variables {
    architecture = "riscv"
  }

  expect_failures = [var.architecture]
}

run "refuses_an_unknown_log_level" {
  command = plan

  variables {
    log_level = "LOUD"
  }

  expect_failures = [var.log_level]
}

run "refuses_an_unknown_tracing_mode" {
  command = plan

  variables {
    tracing_mode = "Sometimes"
  }

  expect_failures = [var.tracing_mode]
}

run "refuses_no_memory_of_events" {
  command = plan

  variables {
    gate_ttl_days = 0
  }

  expect_failures = [var.gate_ttl_days]
}

run "refuses_a_negative_skew" {
  command = plan

  variables {
    max_future_skew_s = -1
  }

  expect_failures = [var.max_future_skew_s]
}

run "refuses_events_beyond_a_kinesis_record" {
  command = plan

  variables {
    max_event_bytes = 10485761
  }

  expect_failures = [var.max_event_bytes]
}

run "refuses_no_memory_of_markers" {
  command = plan

  variables {
    marker_ttl_days = 29
  }

  expect_failures = [var.marker_ttl_days]
}

run "refuses_an_index_without_buckets" {
  command = plan

  variables {
    index_buckets = 0
  }

  expect_failures = [var.index_buckets]
}

run "refuses_an_index_of_too_many_buckets" {
  command = plan

  variables {
    index_buckets = 1025
  }

  expect_failures = [var.index_buckets]
}

run "refuses_an_archive_of_empty_objects" {
  command = plan

  variables {
    archive_max_events = 0
  }

  expect_failures = [var.archive_max_events]
}

run "refuses_an_archive_too_small_for_an_event" {
  command = plan

  variables {
    archive_max_bytes = 1048575
  }

  expect_failures = [var.archive_max_bytes]
}

run "refuses_an_unknown_compression" {
  command = plan

  variables {
    archive_compression = "brotli"
  }

  expect_failures = [var.archive_compression]
}

run "refuses_a_level_that_gzip_does_not_have" {
  command = plan

  variables {
    archive_level = 10
  }

  expect_failures = [var.archive_level]
}

run "refuses_folders_that_hours_would_share" {
  command = plan

  variables {
    archive_partitions = "year={year}/month={month}/day={day}"
  }

  expect_failures = [var.archive_partitions]
}

run "refuses_a_partition_template_with_a_slash_at_its_end" {
  command = plan

  variables {
    archive_partitions = "year={year}/month={month}/day={day}/hour={hour}/"
  }

  expect_failures = [var.archive_partitions]
}

run "refuses_an_unknown_billing_mode" {
  command = plan

  variables {
    billing_mode = "FREE"
  }

  expect_failures = [var.billing_mode]
}

run "refuses_protected_tables_in_buckets_that_go" {
  command = plan

  variables {
    force_destroy = true
  }

  expect_failures = [var.force_destroy]
}

run "refuses_a_key_that_is_no_arn" {
  command = plan

  variables {
    kms_key_arn = "alias/mine"
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_a_watch_faster_than_ingest" {
  command = plan

  variables {
    overdue_after_s = 59
  }

  expect_failures = [var.overdue_after_s]
}

run "refuses_a_negative_lateness" {
  command = plan

  variables {
    allowed_lateness_s = -1
  }

  expect_failures = [var.allowed_lateness_s]
}

run "refuses_a_share_above_one" {
  command = plan

  variables {
    max_rejected_share = 1.1
  }

  expect_failures = [var.max_rejected_share]
}

run "refuses_a_reserve_beyond_the_timeout" {
  command = plan

  variables {
    commit_reserve_s = 60
  }

  expect_failures = [var.commit_reserve_s]
}

run "refuses_to_discard_records" {
  command = plan

  variables {
    stream_mapping = { maximum_retry_attempts = 3 }
  }

  expect_failures = [var.stream_mapping]
}

run "refuses_a_front_door_slower_than_its_gateway" {
  command = plan

  variables {
    functions = { ingest_api = { timeout_s = 30 } }
  }

  expect_failures = [var.functions]
}

run "refuses_replays_slower_than_their_gateway" {
  command = plan

  variables {
    functions = { replay_api = { timeout_s = 30 } }
  }

  expect_failures = [var.functions]
}

run "refuses_an_api_that_takes_nothing" {
  command = plan

  variables {
    api_throttling = { rate = 0 }
  }

  expect_failures = [var.api_throttling]
}

run "refuses_a_folder_without_zips" {
  command = plan

  variables {
    artifacts_dir = "tests/nothing"
  }

  expect_failures = [var.artifacts_dir]
}

run "refuses_an_unknown_stream_mode" {
  command = plan

  variables {
    stream = { mode = "ELASTIC" }
  }

  expect_failures = [var.stream]
}

run "refuses_half_a_shard" {
  command = plan

  variables {
    stream = { shard_count = 1.5 }
  }

  expect_failures = [var.stream]
}

run "refuses_a_stream_kept_for_less_than_a_day" {
  command = plan

  variables {
    stream = { retention_h = 23 }
  }

  expect_failures = [var.stream]
}

run "refuses_an_empty_batch_of_the_stream" {
  command = plan

  variables {
    stream_mapping = { batch_size = 0 }
  }

  expect_failures = [var.stream_mapping]
}

run "refuses_a_stream_window_beyond_5_minutes" {
  command = plan

  variables {
    stream_mapping = { batch_window_s = 301 }
  }

  expect_failures = [var.stream_mapping]
}

run "refuses_a_visibility_beyond_12_hours" {
  command = plan

  variables {
    queues = { enrich = { visibility_timeout_s = 43201 } }
  }

  expect_failures = [var.queues]
}

run "refuses_no_receives" {
  command = plan

  variables {
    queues = { enrich = { max_receive_count = 0 } }
  }

  expect_failures = [var.queues]
}

run "refuses_a_queue_window_beyond_5_minutes" {
  command = plan

  variables {
    queues = { enrich = { batch_window_s = 301 } }
  }

  expect_failures = [var.queues]
}

run "refuses_a_large_queue_batch_without_a_window" {
  command = plan

  variables {
    queues = { aggregate = { batch_size = 11 } }
  }

  expect_failures = [var.queues]
}

run "refuses_a_queue_concurrency_of_one" {
  command = plan

  variables {
    queues = { archive = { maximum_concurrency = 1 } }
  }

  expect_failures = [var.queues]
}

run "refuses_too_little_memory" {
  command = plan

  variables {
    functions = { watch = { memory_mb = 127 } }
  }

  expect_failures = [var.functions]
}

run "refuses_no_timeout" {
  command = plan

  variables {
    functions = { watch = { timeout_s = 0 } }
  }

  expect_failures = [var.functions]
}

run "refuses_a_concurrency_below_none" {
  command = plan

  variables {
    functions = { watch = { reserved_concurrency = -2 } }
  }

  expect_failures = [var.functions]
}

run "refuses_logs_kept_for_a_number_of_days_unknown_to_cloudwatch" {
  command = plan

  variables {
    log_retention_days = 31
  }

  expect_failures = [var.log_retention_days]
}

run "refuses_a_lifecycle_for_the_whole_bucket" {
  command = plan

  variables {
    data_lifecycle_rules = { all = { prefix = "", expiration_days = 30 } }
  }

  expect_failures = [var.data_lifecycle_rules]
}

run "refuses_definitions_that_expire" {
  command = plan

  variables {
    data_lifecycle_rules = { definitions = { prefix = "definitions/", expiration_days = 365 } }
  }

  expect_failures = [var.data_lifecycle_rules]
}

run "refuses_enriched_objects_gone_before_their_dead_letters" {
  command = plan

  variables {
    data_lifecycle_rules = { enriched = { prefix = "enriched/", expiration_days = 14 } }
  }

  expect_failures = [var.data_lifecycle_rules]
}

run "refuses_negative_days" {
  command = plan

  variables {
    data_lifecycle_rules = { raw = { prefix = "raw/", expiration_days = -1 } }
  }

  expect_failures = [var.data_lifecycle_rules]
}

run "refuses_a_table_without_capacity" {
  command = plan

  variables {
    table_capacity = { gate = { write = 0 } }
  }

  expect_failures = [var.table_capacity]
}

run "refuses_subnets_without_a_security_group" {
  command = plan

  variables {
    vpc_config = { subnet_ids = ["subnet-1"] }
  }

  expect_failures = [var.vpc_config]
}

run "refuses_a_subnet_that_is_no_id" {
  command = plan

  variables {
    vpc_config = { subnet_ids = ["private"], security_group_ids = ["sg-1"] }
  }

  expect_failures = [var.vpc_config]
}

run "refuses_an_unknown_export_format" {
  command = plan

  variables {
    export = { format = "csv" }
  }

  expect_failures = [var.export]
}

run "refuses_an_unknown_export_compression" {
  command = plan

  variables {
    export = { compression = "zip" }
  }

  expect_failures = [var.export]
}

run "refuses_a_client_bucket_that_cannot_be" {
  command = plan

  variables {
    export = { client_buckets = { acme = "Acme Bucket" } }
  }

  expect_failures = [var.export]
}

run "refuses_a_negative_grace" {
  command = plan

  variables {
    export = { grace_s = -1 }
  }

  expect_failures = [var.export]
}

run "refuses_an_export_of_no_segments" {
  command = plan

  variables {
    export = { segments = 0 }
  }

  expect_failures = [var.export]
}

run "refuses_an_export_without_room" {
  command = plan

  variables {
    export = { storage_mb = 100 }
  }

  expect_failures = [var.export]
}

run "refuses_an_export_too_small_for_its_segments" {
  command = plan

  variables {
    export = { segments = 64 }
  }

  expect_failures = [var.export]
}

run "refuses_a_cache_time_of_half_a_second" {
  command = plan

  variables {
    assignment_cache = { absence_ttl_s = 0.5 }
  }

  expect_failures = [var.assignment_cache]
}

run "refuses_a_cache_beyond_its_bound" {
  command = plan

  variables {
    assignment_cache = { assignments = 1000001 }
  }

  expect_failures = [var.assignment_cache]
}

run "refuses_a_hot_scope_that_is_none" {
  command = plan

  variables {
    hot_scopes = { scopes = ["edit"] }
  }

  expect_failures = [var.hot_scopes]
}

run "refuses_too_many_shards" {
  command = plan

  variables {
    hot_scopes = { shards = 65 }
  }

  expect_failures = [var.hot_scopes]
}

run "refuses_a_catalog_whose_years_run_backwards" {
  command = plan

  variables {
    catalog = { year_from = 2030, year_to = 2020 }
  }

  expect_failures = [var.catalog]
}

run "refuses_queries_that_may_scan_nothing" {
  command = plan

  variables {
    catalog = { max_scanned_gb = 0 }
  }

  expect_failures = [var.catalog]
}

run "refuses_a_body_smaller_than_an_event" {
  command = plan

  variables {
    max_body_bytes = 1048575
  }

  expect_failures = [var.max_body_bytes]
}

run "refuses_an_export_that_begins_nothing" {
  command = plan

  variables {
    functions = { export = { timeout_s = 180 } }
  }

  expect_failures = [var.export]
}

run "refuses_a_replay_that_never_gives_way" {
  command = plan

  variables {
    replay = { backlog = 0 }
  }

  expect_failures = [var.replay]
}

run "refuses_a_replay_that_is_never_looked_at" {
  command = plan

  variables {
    replay = { look_again_s = 901 }
  }

  expect_failures = [var.replay]
}

run "refuses_an_api_that_plans_nothing" {
  command = plan

  variables {
    replay = { api_max_events = 0 }
  }

  expect_failures = [var.replay]
}

run "refuses_a_target_that_is_no_queue" {
  command = plan

  variables {
    replay = { target_queue_arns = ["https://sqs.eu-central-1.amazonaws.com/1/x"] }
  }

  expect_failures = [var.replay]
}
