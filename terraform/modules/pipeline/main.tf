# The composition: stream, buckets, tables, queues, functions, and what feeds them.
#
# ARNs that policies and mappings need are computed from names (names.tf), so that policies are
# whole in the plan, and resources wait for no more than they use.

module "stream" {
  source = "../stream"

  name        = local.stream_name
  account     = local.account
  mode        = var.stream.mode
  shard_count = var.stream.shard_count
  retention_h = var.stream.retention_h
  kms_key_id  = var.kms_key_arn == "" ? "alias/aws/kinesis" : var.kms_key_arn
}

module "data_bucket" {
  source = "../bucket"

  name                  = local.data_bucket
  lifecycle_rules       = merge(var.data_lifecycle_rules, local.discarded_lifecycle)
  write_once_prefixes   = ["raw/", "quarantine/", "enriched/", "definitions/", "archive/"]
  undeletable_prefixes  = ["raw/", local.discarded_prefix]
  enforce_tls           = var.enforce_tls
  enforce_if_none_match = var.enforce_if_none_match
  force_destroy         = var.force_destroy
  kms_key_arn           = var.kms_key_arn

  told_queues = {
    discarded-batches = { prefix = local.discarded_prefix, queue_arn = module.queues["failures"].arn }
  }
}

module "artifacts_bucket" {
  source = "../bucket"

  name          = local.artifacts_bucket
  enforce_tls   = var.enforce_tls
  force_destroy = var.force_destroy
  kms_key_arn   = var.kms_key_arn

  lifecycle_rules = {
    replaced-zips = { prefix = "", noncurrent_expiration_days = 90 }
  }
}

module "tables" {
  source   = "../table"
  for_each = local.tables

  name                     = local.table_names[each.key]
  attributes               = each.value.attributes
  hash_key                 = each.value.hash_key
  range_key                = each.value.range_key
  global_secondary_indexes = each.value.global_secondary_indexes
  ttl_attribute            = each.value.ttl_attribute
  billing_mode             = var.billing_mode
  read_capacity            = var.table_capacity[each.key].read
  write_capacity           = var.table_capacity[each.key].write
  point_in_time_recovery   = var.point_in_time_recovery
  deletion_protection      = var.deletion_protection
  kms_key_arn              = var.kms_key_arn
}

module "queues" {
  source   = "../queue"
  for_each = local.queue_names

  name                 = each.value
  account              = local.account
  visibility_timeout_s = var.queues[each.key].visibility_timeout_s
  max_receive_count    = var.queues[each.key].max_receive_count
  told_of_bucket_arns  = each.key == "failures" ? [local.data_arn] : []
  enforce_tls          = var.enforce_tls
  kms_key_arn          = var.kms_key_arn
}

# The key is the content: a commit's definitions can be told from the key that made it.
resource "aws_s3_object" "metrics" {
  bucket       = module.data_bucket.name
  key          = local.metrics_key
  source       = var.metrics_file
  source_hash  = filesha256(var.metrics_file)
  content_type = "application/toml"

  lifecycle {
    create_before_destroy = true
  }
}

module "functions" {
  source   = "../function"
  for_each = local.functions

  name                 = local.function_names[each.key]
  service              = each.key
  description          = each.value.description
  account              = local.account
  policy_json          = data.aws_iam_policy_document.function[each.key].json
  artifacts_bucket     = module.artifacts_bucket.name
  zip_path             = "${var.artifacts_dir}/${each.key}.zip"
  handler              = "${each.key}.handler.handler"
  runtime              = var.runtime
  architecture         = var.architecture
  environment          = merge(local.common_settings, each.value.settings)
  memory_mb            = var.functions[each.key].memory_mb
  timeout_s            = var.functions[each.key].timeout_s
  reserved_concurrency = var.functions[each.key].reserved_concurrency
  ephemeral_storage_mb = each.key == "export" ? var.export.storage_mb : 512
  tracing_mode         = var.tracing_mode
  log_retention_days   = var.log_retention_days
  kms_key_arn          = var.kms_key_arn
  vpc_config           = var.vpc_config
}

module "stream_mapping" {
  source = "../event_source_mapping"

  source_arn             = module.stream.arn
  function_name          = module.functions["ingest"].name
  batch_size             = var.stream_mapping.batch_size
  batch_window_s         = var.stream_mapping.batch_window_s
  maximum_retry_attempts = var.stream_mapping.maximum_retry_attempts
  maximum_record_age_s   = var.stream_mapping.maximum_record_age_s
  bisect_on_error        = var.stream_mapping.bisect_on_error
  destination_arn        = local.data_arn
}

module "queue_mappings" {
  source   = "../event_source_mapping"
  for_each = local.queue_names

  source_arn          = module.queues[each.key].arn
  function_name       = module.functions[local.queue_functions[each.key]].name
  batch_size          = var.queues[each.key].batch_size
  batch_window_s      = var.queues[each.key].batch_window_s
  maximum_concurrency = var.queues[each.key].maximum_concurrency
}

module "watch_schedule" {
  source = "../schedule"

  name          = local.schedule_names["watch"]
  description   = "Looks for overdue references and unfinished commits"
  expression    = "rate(1 minute)"
  function_name = module.functions["watch"].name
  function_arn  = module.functions["watch"].arn
}

# An hour is settled some minutes after its end (var.export.grace_s): at five past it is complete.
module "export_schedule" {
  source = "../schedule"

  name          = local.schedule_names["export"]
  description   = "Writes the hours that changed as one file a client"
  expression    = "cron(5 * * * ? *)"
  function_name = module.functions["export"].name
  function_arn  = module.functions["export"].arn
}

module "catalog" {
  source = "../catalog"
  count  = var.catalog.enabled ? 1 : 0

  name           = var.name_prefix
  bucket         = local.data_bucket
  partitions     = var.archive_partitions
  years          = { from = var.catalog.year_from, to = var.catalog.year_to }
  max_scanned_gb = var.catalog.max_scanned_gb
  force_destroy  = var.force_destroy
  kms_key_arn    = var.kms_key_arn
}
