# Each value here is refused by a validation, before anything is planned. A run costs the start of a
# provider, so it holds as many values as do not touch each other: all that it names must fail.

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

run "refuses_first_values" {
  command = plan

  variables {
    # An upper case prefix.
    name_prefix = "Millrace"
    # A region that is a zone.
    region = "eu-central-1a"
    # A short account ID.
    account_id = "123"
    # Metrics that are not there.
    metrics_file = "tests/missing.toml"
    # A visibility below six timeouts.
    queues = { archive = { visibility_timeout_s = 359 } }
    # An old runtime.
    runtime = "python3.9"
    # An unknown architecture.
    architecture = "riscv"
    # An unknown log level.
    log_level = "LOUD"
    # An unknown tracing mode.
    tracing_mode = "Sometimes"
    # No memory of events.
    gate_ttl_days = 0
    # A negative skew.
    max_future_skew_s = -1
    # Events beyond a Kinesis record.
    max_event_bytes = 10485761
    # No memory of markers.
    marker_ttl_days = 29
    # An index without buckets.
    index_buckets = 0
    # An archive of empty objects.
    archive_max_events = 0
    # An unknown compression.
    archive_compression = "brotli"
    # Folders that hours would share.
    archive_partitions = "year={year}/month={month}/day={day}"
    # An unknown billing mode.
    billing_mode = "FREE"
    # Protected tables in buckets that go.
    force_destroy = true
    # A key that is no ARN.
    kms_key_arn = "alias/mine"
    # A watch faster than ingest.
    overdue_after_s = 59
    # A negative lateness.
    allowed_lateness_s = -1
    # A share above one.
    max_rejected_share = 1.1
    # A reserve beyond the timeout.
    commit_reserve_s = 60
    # A folder without zips.
    artifacts_dir = "tests/nothing"
    # Logs kept for a number of days unknown to CloudWatch.
    log_retention_days = 31
    # A lifecycle for the whole bucket.
    data_lifecycle_rules = { all = { prefix = "", expiration_days = 30 } }
    # Subnets without a security group.
    vpc_config = { subnet_ids = ["subnet-1"] }
    # A cache time of half a second.
    assignment_cache = { absence_ttl_s = 0.5 }
    # A hot scope that is none.
    hot_scopes = { scopes = ["edit"] }
    # A catalog whose years run backwards.
    catalog = { year_from = 2030, year_to = 2020 }
    # A replay that never gives way.
    replay = { backlog = 0 }
  }

  expect_failures = [
    var.name_prefix, var.region, var.account_id, var.metrics_file, var.queues, var.runtime,
    var.architecture, var.log_level, var.tracing_mode, var.gate_ttl_days, var.max_future_skew_s,
    var.max_event_bytes, var.marker_ttl_days, var.index_buckets, var.archive_max_events,
    var.archive_compression, var.archive_partitions, var.billing_mode, var.force_destroy,
    var.kms_key_arn, var.overdue_after_s, var.allowed_lateness_s, var.max_rejected_share,
    var.commit_reserve_s, var.artifacts_dir, var.log_retention_days, var.data_lifecycle_rules,
    var.vpc_config, var.assignment_cache, var.hot_scopes, var.catalog, var.replay,
  ]
}

run "refuses_second_values" {
  command = plan

  variables {
    # A visibility of replays below six timeouts of enrich.
    functions = { enrich = { timeout_s = 61 } }
    queues    = { enrich = { visibility_timeout_s = 366 }, replay = { visibility_timeout_s = 365 } }
    # An index of too many buckets.
    index_buckets = 1025
    # An archive too small for an event.
    archive_max_bytes = 1048575
    # A level that gzip does not have.
    archive_level = 10
    # A partition template with a slash at its end.
    archive_partitions = "year={year}/month={month}/day={day}/hour={hour}/"
    # Definitions that expire.
    data_lifecycle_rules = { definitions = { prefix = "definitions/", expiration_days = 365 } }
    # A subnet that is no ID.
    vpc_config = { subnet_ids = ["private"], security_group_ids = ["sg-1"] }
    # A cache beyond its bound.
    assignment_cache = { assignments = 1000001 }
    # Too many shards.
    hot_scopes = { shards = 65 }
    # A body smaller than an event.
    max_body_bytes = 1048575
    # A replay that is never looked at.
    replay = { look_again_s = 901 }
  }

  expect_failures = [
    var.queues, var.index_buckets, var.archive_max_bytes, var.archive_level,
    var.archive_partitions, var.data_lifecycle_rules, var.vpc_config, var.assignment_cache,
    var.hot_scopes, var.max_body_bytes, var.replay,
  ]
}

run "refuses_third_values" {
  command = plan

  variables {
    # A ratio below one.
    visibility_timeout_ratio = 0.5
    # A front door slower than its gateway.
    functions = { ingest_api = { timeout_s = 30 } }
    # Enriched objects gone before their dead letters.
    data_lifecycle_rules = { enriched = { prefix = "enriched/", expiration_days = 14 } }
    # An API that plans nothing.
    replay = { api_max_events = 0 }
  }

  expect_failures = [
    var.visibility_timeout_ratio, var.functions, var.data_lifecycle_rules, var.replay,
  ]
}

run "refuses_fourth_values" {
  command = plan

  variables {
    # Replays slower than their gateway.
    functions = { replay_api = { timeout_s = 30 } }
    # Negative days.
    data_lifecycle_rules = { raw = { prefix = "raw/", expiration_days = -1 } }
    # A target that is no queue.
    replay = { target_queue_arns = ["https://sqs.eu-central-1.amazonaws.com/1/x"] }
  }

  expect_failures = [
    var.functions, var.data_lifecycle_rules, var.replay,
  ]
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

run "refuses_investigations_slower_than_their_gateway" {
  command = plan

  variables {
    functions = { investigate = { timeout_s = 30 } }
  }

  expect_failures = [var.functions]
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

run "refuses_redrives_slower_than_their_gateway" {
  command = plan

  variables {
    functions = { operator_api = { timeout_s = 30 } }
  }

  expect_failures = [var.functions]
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

run "refuses_an_export_that_begins_nothing" {
  command = plan

  variables {
    functions = { export = { timeout_s = 180 } }
  }

  expect_failures = [var.export]
}

# Apart from the others: the mapping is judged by the stream, which must be a valid one.
run "refuses_to_give_up_what_the_stream_has_dropped" {
  command = plan

  variables {
    stream_mapping = { maximum_record_age_s = 86400 }
  }

  expect_failures = [var.stream_mapping]
}
