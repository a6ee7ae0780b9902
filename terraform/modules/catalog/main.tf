# The archive as a table: Athena reads it where it lies, and computes its partitions from the hour.
# https://docs.aws.amazon.com/athena/latest/ug/partition-projection.html

locals {
  location = "s3://${var.bucket}/archive/"

  # The template's {hour} is Athena's ${hour}.
  template = replace(var.partitions, "/\\{(year|month|day|hour)\\}/", "$${$1}")

  # All values travel as they stand in a row (services/enrich): times are RFC 3339 texts.
  columns = {
    event_id       = "string"
    event_type     = "string"
    entity_id      = "string"
    event_time     = "string"
    source         = "string"
    client_id      = "string"
    payload        = "string" # an object: json_extract_scalar(payload, '$.page')
    schema_version = "int"
    arrival_time   = "string"
    lag_ms         = "bigint"
    assignments    = "array<struct<experiment_id:string,variant:string,assigned_at:string,seconds_since_assignment:double>>"
    experiments    = "string"
    defs_version   = "string"
  }

  projection = {
    "projection.enabled"        = "true"
    "projection.year.type"      = "integer"
    "projection.year.range"     = "${var.years.from},${var.years.to}"
    "projection.year.digits"    = "4"
    "projection.month.type"     = "integer"
    "projection.month.range"    = "1,12"
    "projection.month.digits"   = "2"
    "projection.day.type"       = "integer"
    "projection.day.range"      = "1,31"
    "projection.day.digits"     = "2"
    "projection.hour.type"      = "integer"
    "projection.hour.range"     = "0,23"
    "projection.hour.digits"    = "2"
    "storage.location.template" = "${local.location}${local.template}/"
  }
}

resource "aws_glue_catalog_database" "this" {
  name         = replace(var.name, "-", "_") # Athena asks for quotes around anything else
  description  = "Events of ${var.name}"
  location_uri = local.location
}

resource "aws_glue_catalog_table" "archive" {
  name          = "archive"
  database_name = aws_glue_catalog_database.this.name
  description   = "Archived events by the UTC hour they happened in"
  table_type    = "EXTERNAL_TABLE"

  parameters = merge(local.projection, { EXTERNAL = "TRUE", classification = "json" })

  dynamic "partition_keys" {
    for_each = ["year", "month", "day", "hour"]
    content {
      name = partition_keys.value
      type = "int"
    }
  }

  storage_descriptor {
    location      = local.location
    input_format  = "org.apache.hadoop.mapred.TextInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    # It gives an object in a column of type string as its JSON.
    # https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html
    ser_de_info {
      serialization_library = "org.openx.data.jsonserde.JsonSerDe"
    }

    dynamic "columns" {
      for_each = local.columns
      content {
        name = columns.key
        type = columns.value
      }
    }
  }
}

resource "aws_athena_workgroup" "this" {
  name          = var.name
  description   = "Queries over the archive"
  force_destroy = var.force_destroy

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.max_scanned_gb * 1000000000

    result_configuration {
      output_location = "s3://${var.bucket}/athena/"

      encryption_configuration {
        encryption_option = var.kms_key_arn == "" ? "SSE_S3" : "SSE_KMS"
        kms_key_arn       = var.kms_key_arn == "" ? null : var.kms_key_arn
      }
    }
  }
}
