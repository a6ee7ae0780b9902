variable "name_prefix" {
  description = "First part of the names of all resources: two stacks in one account differ in it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,38}[a-z0-9]$", var.name_prefix))
    error_message = "The name prefix has 3 to 40 characters out of a-z, 0-9 and '-', begins with a letter and does not end with '-'."
  }
}

variable "region" {
  description = "Region of the pipeline, the same as the provider's."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A region looks like us-east-1."
  }
}

variable "account_id" {
  description = "Account of the pipeline. Told rather than looked up, so that a plan needs no AWS."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account id has 12 digits."
  }
}

variable "artifacts_dir" {
  description = "Folder of the zips (<service>.zip) that 'make build' makes."
  type        = string
  nullable    = false

  validation {
    condition     = fileexists("${var.artifacts_dir}/ingest.zip")
    error_message = "There are no zips in ${var.artifacts_dir}: run 'make build' first."
  }
}

variable "metrics_file" {
  description = "Metric definitions (TOML); terraform/metrics has examples."
  type        = string
  nullable    = false

  validation {
    condition     = fileexists(var.metrics_file) && endswith(var.metrics_file, ".toml")
    error_message = "There is no TOML file at ${var.metrics_file}: name the metric definitions."
  }
}

# Stream

variable "stream" {
  description = "Capacity of the stream: mode PROVISIONED with shard_count, or ON_DEMAND; retention_h is the time in which a stopped ingest can catch up."
  type = object({
    mode        = optional(string, "PROVISIONED")
    shard_count = optional(number, 1)
    retention_h = optional(number, 24)
  })
  nullable = false
  default  = {}

  validation {
    condition     = contains(["PROVISIONED", "ON_DEMAND"], var.stream.mode)
    error_message = "The stream's mode is PROVISIONED or ON_DEMAND."
  }

  validation {
    condition     = var.stream.shard_count >= 1 && floor(var.stream.shard_count) == var.stream.shard_count
    error_message = "The stream's shard_count is a whole number, 1 or more."
  }

  validation {
    condition     = var.stream.retention_h >= 24 && var.stream.retention_h <= 8760
    error_message = "The stream's retention_h is 24 to 8760 hours."
  }
}

variable "stream_mapping" {
  description = "How ingest is fed. By default a batch that fails holds its shard until it succeeds, or until its records are 20 hours old: before the stream drops them they are given up and kept in the data bucket, whence `millrace failures repair` takes them."
  type = object({
    batch_size             = optional(number, 500)
    batch_window_s         = optional(number, 5)
    maximum_retry_attempts = optional(number, -1)
    maximum_record_age_s   = optional(number, 72000)
    bisect_on_error        = optional(bool, true)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.stream_mapping.maximum_record_age_s < var.stream.retention_h * 3600
    error_message = "maximum_record_age_s is less than the stream's retention: what the stream has dropped cannot be given up any more, it is gone. -1 waits for ever, and loses what is older than the retention."
  }

  validation {
    condition     = var.stream_mapping.batch_size >= 1 && var.stream_mapping.batch_size <= 10000
    error_message = "A batch of the stream has 1 to 10000 records."
  }

  validation {
    condition     = var.stream_mapping.batch_window_s >= 0 && var.stream_mapping.batch_window_s <= 300
    error_message = "The stream's batch window is 0 to 300 seconds."
  }
}

# Queues and functions

variable "queues" {
  description = "How each service is fed from its queue, watch from that of discarded batches (failures), and enrich also from that of replays, whose maximum_concurrency bounds what replays take from live traffic; 0 sets no bound."
  type = object({
    enrich = optional(object({
      visibility_timeout_s = optional(number, 360)
      max_receive_count    = optional(number, 5)
      batch_size           = optional(number, 10)
      batch_window_s       = optional(number, 0)
      maximum_concurrency  = optional(number, 10)
    }), {})
    aggregate = optional(object({
      visibility_timeout_s = optional(number, 360)
      max_receive_count    = optional(number, 5)
      batch_size           = optional(number, 10)
      batch_window_s       = optional(number, 0)
      maximum_concurrency  = optional(number, 10)
    }), {})
    archive = optional(object({
      visibility_timeout_s = optional(number, 360)
      max_receive_count    = optional(number, 5)
      batch_size           = optional(number, 10)
      batch_window_s       = optional(number, 0)
      maximum_concurrency  = optional(number, 10)
    }), {})
    replay = optional(object({
      visibility_timeout_s = optional(number, 366)
      max_receive_count    = optional(number, 5)
      batch_size           = optional(number, 500)
      batch_window_s       = optional(number, 1)
      maximum_concurrency  = optional(number, 5)
    }), {})
    failures = optional(object({
      visibility_timeout_s = optional(number, 360)
      max_receive_count    = optional(number, 5)
      batch_size           = optional(number, 10)
      batch_window_s       = optional(number, 0)
      maximum_concurrency  = optional(number, 2)
    }), {})
    replay_work = optional(object({
      visibility_timeout_s = optional(number, 360)
      max_receive_count    = optional(number, 5)
      batch_size           = optional(number, 1)
      batch_window_s       = optional(number, 0)
      maximum_concurrency  = optional(number, 2)
    }), {})
  })
  nullable = false
  default  = {}

  validation {
    condition = alltrue([
      for name, queue in var.queues :
      queue.visibility_timeout_s >= var.visibility_timeout_ratio * var.functions[local.queue_functions[name]].timeout_s
    ])
    error_message = "A queue's visibility timeout is at least ${var.visibility_timeout_ratio} times its function's timeout: else a message comes back while it is being worked on."
  }

  validation {
    condition     = alltrue([for queue in values(var.queues) : queue.visibility_timeout_s >= 1 && queue.visibility_timeout_s <= 43200])
    error_message = "A queue's visibility timeout is 1 to 43200 seconds."
  }

  validation {
    condition     = alltrue([for queue in values(var.queues) : queue.max_receive_count >= 1 && queue.max_receive_count <= 1000])
    error_message = "A message is received 1 to 1000 times before it is given up."
  }

  validation {
    condition     = alltrue([for queue in values(var.queues) : queue.batch_window_s >= 0 && queue.batch_window_s <= 300])
    error_message = "A queue's batch window is 0 to 300 seconds."
  }

  validation {
    condition = alltrue([
      for queue in values(var.queues) :
      queue.batch_size >= 1 && queue.batch_size <= (queue.batch_window_s >= 1 ? 10000 : 10)
    ])
    error_message = "A batch has 1 to 10 messages, with a batch window of 1 second or more up to 10000."
  }

  validation {
    condition = alltrue([
      for queue in values(var.queues) :
      queue.maximum_concurrency == 0 || (queue.maximum_concurrency >= 2 && queue.maximum_concurrency <= 1000)
    ])
    error_message = "A queue's maximum concurrency is 0 (no bound) or 2 to 1000."
  }
}

variable "visibility_timeout_ratio" {
  description = "Least ratio of a queue's visibility timeout to its function's timeout. AWS asks for 6, as throttled calls are tried again; 1 lets failures return soon where nothing is throttled."
  type        = number
  nullable    = false
  default     = 6

  validation {
    condition     = var.visibility_timeout_ratio >= 1
    error_message = "The ratio is 1 or more: SQS mappings refuse a visibility timeout below the function's timeout."
  }
}

variable "functions" {
  description = "Size of each function; reserved_concurrency -1 sets no bound."
  type = object({
    ingest = optional(object({
      memory_mb            = optional(number, 1024)
      timeout_s            = optional(number, 60)
      reserved_concurrency = optional(number, -1)
    }), {})
    enrich = optional(object({
      memory_mb            = optional(number, 512)
      timeout_s            = optional(number, 60)
      reserved_concurrency = optional(number, -1)
    }), {})
    aggregate = optional(object({
      memory_mb            = optional(number, 512)
      timeout_s            = optional(number, 60)
      reserved_concurrency = optional(number, -1)
    }), {})
    archive = optional(object({
      memory_mb            = optional(number, 512)
      timeout_s            = optional(number, 60)
      reserved_concurrency = optional(number, -1)
    }), {})
    export = optional(object({
      memory_mb            = optional(number, 1024)
      timeout_s            = optional(number, 900)
      reserved_concurrency = optional(number, -1)
    }), {})
    replay = optional(object({
      memory_mb            = optional(number, 512)
      timeout_s            = optional(number, 60)
      reserved_concurrency = optional(number, -1)
    }), {})
    watch = optional(object({
      memory_mb            = optional(number, 256)
      timeout_s            = optional(number, 60)
      reserved_concurrency = optional(number, -1)
    }), {})
    ingest_api = optional(object({
      memory_mb            = optional(number, 512)
      timeout_s            = optional(number, 25)
      reserved_concurrency = optional(number, -1)
    }), {})
    replay_api = optional(object({
      memory_mb            = optional(number, 1024)
      timeout_s            = optional(number, 29)
      reserved_concurrency = optional(number, -1)
    }), {})
    operator_api = optional(object({
      memory_mb            = optional(number, 512)
      timeout_s            = optional(number, 29)
      reserved_concurrency = optional(number, -1)
    }), {})
    investigate = optional(object({
      memory_mb            = optional(number, 1024)
      timeout_s            = optional(number, 29)
      reserved_concurrency = optional(number, -1)
    }), {})
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.functions.ingest_api.timeout_s >= 10 && var.functions.ingest_api.timeout_s < 30
    error_message = "The timeout of ingest_api is 10 to 29 seconds: an HTTP API gives up after 30, and the function keeps 8 for its last call."
  }

  validation {
    condition     = var.functions.replay_api.timeout_s >= 10 && var.functions.replay_api.timeout_s < 30
    error_message = "The timeout of replay_api is 10 to 29 seconds: an HTTP API gives up after 30, and the function keeps 8 for starting what it planned."
  }

  validation {
    condition     = var.functions.operator_api.timeout_s >= 25 && var.functions.operator_api.timeout_s < 30
    error_message = "The timeout of operator_api is 25 to 29 seconds: an HTTP API gives up after 30, and a redrive waits up to 15 for its canary."
  }

  validation {
    condition     = var.functions.investigate.timeout_s >= 10 && var.functions.investigate.timeout_s < 30
    error_message = "The timeout of investigate is 10 to 29 seconds: an HTTP API gives up after 30, and the function keeps 8 for its last page and the answer."
  }

  validation {
    condition     = alltrue([for function in values(var.functions) : function.memory_mb >= 128 && function.memory_mb <= 10240])
    error_message = "A function has 128 to 10240 MB."
  }

  validation {
    condition     = alltrue([for function in values(var.functions) : function.timeout_s >= 1 && function.timeout_s <= 900])
    error_message = "A function's timeout is 1 to 900 seconds."
  }

  validation {
    condition     = alltrue([for function in values(var.functions) : function.reserved_concurrency >= -1])
    error_message = "A function's reserved concurrency is -1 (no bound), 0 (stopped) or more."
  }
}

variable "api_throttling" {
  description = "Requests a second that the HTTP API takes over time (rate) and at once (burst): a request holds up to 500 events, a shard takes 1000 records a second."
  type = object({
    rate  = optional(number, 100)
    burst = optional(number, 200)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.api_throttling.rate > 0 && var.api_throttling.burst >= 1
    error_message = "The API takes requests: its rate is above 0 and its burst 1 or more."
  }
}

variable "runtime" {
  description = "Lambda's name of the Python version that the zips were built for."
  type        = string
  nullable    = false
  default     = "python3.13"

  validation {
    condition     = can(regex("^python3\\.(1[1-9])$", var.runtime))
    error_message = "The runtime is python3.11 or later."
  }
}

variable "architecture" {
  description = "Processor that the zips were built for: x86_64 or arm64."
  type        = string
  nullable    = false
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "The architecture is x86_64 or arm64."
  }
}

variable "log_level" {
  description = "Least level that functions log."
  type        = string
  nullable    = false
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "The log level is DEBUG, INFO, WARNING or ERROR."
  }
}

variable "log_retention_days" {
  description = "Days for which CloudWatch keeps the functions' logs and the API's access log."
  type        = number
  nullable    = false
  default     = 30

  validation {
    condition = contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
      var.log_retention_days,
    )
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}

variable "tracing_mode" {
  description = "Active sends X-Ray traces, to be found by annotation.correlation_id; PassThrough only hands on the caller's."
  type        = string
  nullable    = false
  default     = "PassThrough"

  validation {
    condition     = contains(["Active", "PassThrough"], var.tracing_mode)
    error_message = "The tracing mode is Active or PassThrough."
  }
}

# Settings of the services

variable "allowed_lateness_s" {
  description = "How far behind its source's highest event time an event may be before it counts as late."
  type        = number
  nullable    = false
  default     = 3600

  validation {
    condition     = var.allowed_lateness_s >= 0
    error_message = "allowed_lateness_s is 0 or more."
  }
}

variable "max_rejected_share" {
  description = "Above this share of a batch, rejections are an incident (metric BatchesMostlyRejected), not some bad records."
  type        = number
  nullable    = false
  default     = 0.5

  validation {
    condition     = var.max_rejected_share >= 0 && var.max_rejected_share <= 1
    error_message = "max_rejected_share is a share: from 0 to 1."
  }
}

variable "commit_reserve_s" {
  description = "Seconds of an ingest invocation that are kept for its commit: past it no new work is begun."
  type        = number
  nullable    = false
  default     = 10

  validation {
    condition     = var.commit_reserve_s >= 1 && var.commit_reserve_s < var.functions.ingest.timeout_s
    error_message = "commit_reserve_s is at least 1 and less than ingest's timeout: else nothing is ever begun."
  }
}

variable "overdue_after_s" {
  description = "How long a reference may stay unsent before watch sends it: longer than an ingest batch can take."
  type        = number
  nullable    = false
  default     = 300

  validation {
    condition     = var.overdue_after_s >= var.functions.ingest.timeout_s
    error_message = "overdue_after_s is at least ingest's timeout: else watch sends what a running batch is about to send."
  }
}

variable "gate_ttl_days" {
  description = "Days for which an event is known by its id: a duplicate that comes later is taken for a new event."
  type        = number
  nullable    = false
  default     = 30

  validation {
    condition     = var.gate_ttl_days >= 1
    error_message = "An event is remembered for a day or more."
  }
}

variable "max_future_skew_s" {
  description = "Seconds by which an event's time may be ahead of its arrival before it is quarantined."
  type        = number
  nullable    = false
  default     = 300

  validation {
    condition     = var.max_future_skew_s >= 0
    error_message = "The skew is 0 seconds or more."
  }
}

variable "max_event_bytes" {
  description = "Largest event; a larger one is quarantined."
  type        = number
  nullable    = false
  default     = 1048576

  validation {
    condition     = var.max_event_bytes >= 1024 && var.max_event_bytes <= 10485760
    error_message = "The largest event has 1024 to 10485760 bytes (the largest record of Kinesis)."
  }
}

variable "max_body_bytes" {
  description = "Largest body of a request to the HTTP API, decoded: bounds what a small gzip body can grow to."
  type        = number
  nullable    = false
  default     = 10485760

  validation {
    condition     = var.max_body_bytes >= var.max_event_bytes && var.max_body_bytes <= 104857600
    error_message = "The largest body holds the largest event, and its function's memory holds it several times: max_event_bytes to 104857600 bytes."
  }
}

variable "marker_ttl_days" {
  description = "Days for which unique entities and replayed events are remembered."
  type        = number
  nullable    = false
  default     = 90

  validation {
    condition     = var.marker_ttl_days >= 30 && var.marker_ttl_days <= 3650
    error_message = "Markers are kept from 30 to 3650 days: longer than any message can still come again."
  }
}

variable "assignment_cache" {
  description = "What enrich keeps of assignments and experiments: for how long, for how long that there is none, and how many at most."
  type = object({
    ttl_s         = optional(number, 60)
    absence_ttl_s = optional(number, 10)
    assignments   = optional(number, 20000)
    experiments   = optional(number, 1000)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.assignment_cache.ttl_s >= 0 && floor(var.assignment_cache.ttl_s) == var.assignment_cache.ttl_s && var.assignment_cache.absence_ttl_s >= 0 && floor(var.assignment_cache.absence_ttl_s) == var.assignment_cache.absence_ttl_s
    error_message = "The cache's times are whole seconds, 0 or more; 0 keeps nothing."
  }

  validation {
    condition     = var.assignment_cache.assignments >= 100 && var.assignment_cache.assignments <= 1000000 && var.assignment_cache.experiments >= 10 && var.assignment_cache.experiments <= 10000
    error_message = "The cache holds 100 to 1000000 assignments and 10 to 10000 experiments."
  }
}

variable "replay" {
  description = "When a replay gives way: the seconds that live commits wait for a stage, and the messages waiting for the processor, beyond which it sends less; how long a sent replay is left alone between two looks; queues of your own (ARNs) that replays may be sent to; and the most events that a request to the API may select."
  type = object({
    live_lag_s        = optional(number, 60)
    backlog           = optional(number, 20000)
    look_again_s      = optional(number, 15)
    target_queue_arns = optional(list(string), [])
    api_max_events    = optional(number, 50000)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.replay.live_lag_s >= 1 && floor(var.replay.live_lag_s) == var.replay.live_lag_s && var.replay.backlog >= 10 && floor(var.replay.backlog) == var.replay.backlog
    error_message = "A replay gives way at a live lag of 1 second or more and at a backlog of 10 messages or more."
  }

  validation {
    condition     = var.replay.look_again_s >= 1 && var.replay.look_again_s <= 900 && floor(var.replay.look_again_s) == var.replay.look_again_s
    error_message = "A replay is looked at every 1 to 900 seconds, the longest that a message can wait."
  }

  validation {
    condition     = var.replay.api_max_events >= 1 && floor(var.replay.api_max_events) == var.replay.api_max_events
    error_message = "A request to the API may select 1 event or more, a whole number."
  }

  validation {
    condition     = alltrue([for arn in var.replay.target_queue_arns : can(regex("^arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,80}$", arn))])
    error_message = "A replay's target is the ARN of a standard SQS queue, as arn:aws:sqs:eu-central-1:123456789012:name."
  }
}

variable "hot_scopes" {
  description = "Scopes (as 'millrace aggregates --scope' takes them: TYPE#edit) whose rows are spread over so many items each: for rows that so many references touch that transactions are refused (TransactionConflict in the aggregate function's log). Readers add them up; the list and the number may change at any time."
  type = object({
    scopes = optional(list(string), [])
    shards = optional(number, 8)
  })
  nullable = false
  default  = {}

  validation {
    condition = alltrue([
      for scope in var.hot_scopes.scopes :
      can(regex("^((TYPE|SOURCE|ENTITY|CLIENT)#.|EXPERIMENT#.+#VARIANT#.|PAYLOAD#.+#VALUE#.)", scope))
    ])
    error_message = "A hot scope is TYPE#..., SOURCE#..., ENTITY#..., CLIENT#..., EXPERIMENT#...#VARIANT#... or PAYLOAD#...#VALUE#..."
  }

  validation {
    condition     = var.hot_scopes.shards >= 1 && var.hot_scopes.shards <= 64 && floor(var.hot_scopes.shards) == var.hot_scopes.shards
    error_message = "The rows of a hot scope are spread over 1 to 64 items: a read fetches all of them."
  }
}

variable "dry_run" {
  description = "Replayed events are read and computed, the counts logged, and nothing of them is written to the aggregates. Live events are processed all the same."
  type        = bool
  nullable    = false
  default     = false
}

variable "index_buckets" {
  description = "Partitions over which the entities of one event day are spread in the index. More make reading an entity's day cheaper and writing small commits dearer; 16 suits commits of 500 to 1,000 events. A new value holds for event days that are not indexed yet."
  type        = number
  nullable    = false
  default     = 16

  validation {
    condition     = var.index_buckets >= 1 && var.index_buckets <= 1024 && floor(var.index_buckets) == var.index_buckets
    error_message = "There are 1 to 1024 index buckets."
  }
}

variable "archive_max_events" {
  description = "Most events in an object of the archive."
  type        = number
  nullable    = false
  default     = 1000

  validation {
    condition     = var.archive_max_events >= 1
    error_message = "An object of the archive holds an event or more."
  }
}

variable "archive_max_bytes" {
  description = "Most bytes, uncompressed, in an object of the archive."
  type        = number
  nullable    = false
  default     = 5000000

  validation {
    condition     = var.archive_max_bytes >= var.max_event_bytes
    error_message = "An object of the archive holds the largest event: archive_max_bytes is at least max_event_bytes."
  }
}

variable "archive_compression" {
  description = "How objects of the archive are compressed: gzip or zstd. A new value holds for commits that are not enriched yet."
  type        = string
  nullable    = false
  default     = "gzip"

  validation {
    condition     = contains(["gzip", "zstd"], var.archive_compression)
    error_message = "The archive's compression is gzip or zstd."
  }
}

variable "archive_level" {
  description = "Level of the archive's compression: gzip has 1 to 9, zstd 1 to 19."
  type        = number
  nullable    = false
  default     = 6

  validation {
    condition     = var.archive_level >= 1 && var.archive_level <= (var.archive_compression == "gzip" ? 9 : 19) && floor(var.archive_level) == var.archive_level
    error_message = "The archive's level is a whole number: 1 to 9 for gzip, 1 to 19 for zstd."
  }
}

variable "archive_partitions" {
  description = "Folders of an hour below archive/, with {year}, {month}, {day} and {hour}. The table for queries expects one layout: choose it before the first event."
  type        = string
  nullable    = false
  default     = "year={year}/month={month}/day={day}/hour={hour}"

  validation {
    condition = (
      alltrue([for field in ["{year}", "{month}", "{day}", "{hour}"] : strcontains(var.archive_partitions, field)])
      && length(var.archive_partitions) <= 200
      && can(regex("^([A-Za-z0-9=_-]|{(year|month|day|hour)})+(/([A-Za-z0-9=_-]|{(year|month|day|hour)})+)*$", var.archive_partitions))
    )
    error_message = "The partition template holds {year}, {month}, {day} and {hour} in folders of letters, digits, '=', '_' and '-', without a slash at either end."
  }
}

variable "export" {
  description = "The hourly files of clients: format (ndjson or array), compression (none or gzip), client_buckets (by client id, for clients with a bucket of their own), grace_s (how long an hour waits for late arrivals), segments (archive objects read at once), uploads (files written at once), storage_mb (room in /tmp, half of it for events of one pass), reserve_s (seconds of an invocation that are kept for what was begun)."
  type = object({
    format         = optional(string, "ndjson")
    compression    = optional(string, "none")
    client_buckets = optional(map(string), {})
    grace_s        = optional(number, 240)
    segments       = optional(number, 8)
    uploads        = optional(number, 4)
    storage_mb     = optional(number, 512)
    reserve_s      = optional(number, 180)
  })
  nullable = false
  default  = {}

  validation {
    condition     = contains(["ndjson", "array"], var.export.format)
    error_message = "The format of exports is ndjson or array."
  }

  validation {
    condition     = contains(["none", "gzip"], var.export.compression)
    error_message = "The compression of exports is none or gzip."
  }

  validation {
    condition     = alltrue([for bucket in values(var.export.client_buckets) : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", bucket))])
    error_message = "A client's bucket is named as S3 names buckets: 3 to 63 characters out of a-z, 0-9, '.' and '-'."
  }

  validation {
    condition     = var.export.grace_s >= 0 && floor(var.export.grace_s) == var.export.grace_s
    error_message = "grace_s is 0 seconds or more."
  }

  validation {
    condition     = var.export.segments >= 1 && var.export.segments <= 64 && var.export.uploads >= 1 && var.export.uploads <= 16
    error_message = "An export reads 1 to 64 segments and writes 1 to 16 files at once."
  }

  validation {
    condition     = var.export.storage_mb >= 512 && var.export.storage_mb <= 10240
    error_message = "A function has 512 to 10240 MB in /tmp."
  }

  validation {
    condition     = var.export.reserve_s >= 1 && floor(var.export.reserve_s) == var.export.reserve_s && var.export.reserve_s < var.functions.export.timeout_s
    error_message = "reserve_s is a whole number of seconds, 1 or more, and less than export's timeout: else nothing is ever begun."
  }

  validation {
    # Compressed, its text and the clients' shares of it; Python and its libraries take 100 MB.
    condition     = var.functions.export.memory_mb >= 100 + var.export.segments * 3 * var.archive_max_bytes / 1000000 + var.export.uploads * 20
    error_message = "The export's memory is too small for so many segments and uploads: raise functions.export.memory_mb, or lower export.segments, export.uploads or archive_max_bytes."
  }
}

variable "catalog" {
  description = "The archive as a table for Athena: year_from and year_to bound queries that name no year, max_scanned_gb cancels a query that forgot its hours."
  type = object({
    enabled        = optional(bool, true)
    year_from      = optional(number, 2015)
    year_to        = optional(number, 2035)
    max_scanned_gb = optional(number, 100)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.catalog.year_from >= 1970 && var.catalog.year_to >= var.catalog.year_from && var.catalog.year_to <= 9999
    error_message = "The catalog's years run from 1970 or later to the same year or later."
  }

  validation {
    condition     = var.catalog.max_scanned_gb >= 1
    error_message = "A query may scan 1 GB or more."
  }
}

# Storage

variable "data_lifecycle_rules" {
  description = "What happens to data as it ages, by the rule's name (see the bucket module). Raw and archived events stay for ever unless a rule says otherwise; raw must outlive the commit rows that point into it."
  type = map(object({
    prefix                     = string
    expiration_days            = optional(number, 0)
    noncurrent_expiration_days = optional(number, 0)
    transitions                = optional(map(number), {})
  }))
  nullable = false
  default = {
    raw        = { prefix = "raw/", transitions = { STANDARD_IA = 90 } }
    enriched   = { prefix = "enriched/", expiration_days = 30, noncurrent_expiration_days = 1 }
    quarantine = { prefix = "quarantine/", expiration_days = 365, noncurrent_expiration_days = 30 }
    athena     = { prefix = "athena/", expiration_days = 7, noncurrent_expiration_days = 1 }
  }

  validation {
    condition     = alltrue([for rule in values(var.data_lifecycle_rules) : can(regex("^[a-z_]+/", rule.prefix))])
    error_message = "A rule holds for a prefix as in \"raw/\": none of them holds for the whole bucket, which keeps the definitions that old events were counted by."
  }

  validation {
    condition = alltrue([
      for rule in values(var.data_lifecycle_rules) :
      rule.expiration_days == 0 || !contains(["config", "definitions"], split("/", rule.prefix)[0])
    ])
    error_message = "Objects below config/ and definitions/ never expire: what was counted by them could not be explained any more."
  }

  # A dead letter keeps the age of its message: 14 days in all, and a day to spare.
  validation {
    condition = alltrue([
      for rule in values(var.data_lifecycle_rules) :
      rule.expiration_days == 0 || rule.expiration_days >= 15 || !startswith(rule.prefix, "enriched/")
    ])
    error_message = "Enriched objects outlive the messages that name them, dead letters too: they expire after 15 days or more, or never (0)."
  }

  validation {
    condition = alltrue([
      for rule in values(var.data_lifecycle_rules) :
      rule.expiration_days >= 0 && rule.noncurrent_expiration_days >= 0
      && alltrue([for days in values(rule.transitions) : days >= 0])
    ])
    error_message = "The days of a lifecycle rule are 0 (never) or more."
  }
}

variable "billing_mode" {
  description = "How tables are paid: PAY_PER_REQUEST, or PROVISIONED with table_capacity."
  type        = string
  nullable    = false
  default     = "PAY_PER_REQUEST"

  validation {
    condition     = contains(["PAY_PER_REQUEST", "PROVISIONED"], var.billing_mode)
    error_message = "The billing mode is PAY_PER_REQUEST or PROVISIONED."
  }
}

variable "table_capacity" {
  description = "Units a second of each table, for the billing mode PROVISIONED."
  type = object({
    commits     = optional(object({ read = optional(number, 5), write = optional(number, 25) }), {})
    gate        = optional(object({ read = optional(number, 5), write = optional(number, 1000) }), {})
    event_index = optional(object({ read = optional(number, 50), write = optional(number, 100) }), {})
    aggregates  = optional(object({ read = optional(number, 5), write = optional(number, 200) }), {})
    markers     = optional(object({ read = optional(number, 5), write = optional(number, 100) }), {})
    assignments = optional(object({ read = optional(number, 100), write = optional(number, 5) }), {})
    experiments = optional(object({ read = optional(number, 5), write = optional(number, 5) }), {})
    manifests   = optional(object({ read = optional(number, 5), write = optional(number, 25) }), {})
    replays     = optional(object({ read = optional(number, 5), write = optional(number, 25) }), {})
    audit       = optional(object({ read = optional(number, 5), write = optional(number, 5) }), {})
    notes       = optional(object({ read = optional(number, 5), write = optional(number, 25) }), {})
  })
  nullable = false
  default  = {}

  validation {
    condition     = alltrue([for table in values(var.table_capacity) : table.read >= 1 && table.write >= 1])
    error_message = "A table's capacity is 1 unit a second or more, to read and to write."
  }
}

variable "point_in_time_recovery" {
  description = "Whether tables can be restored to any second of the last 35 days."
  type        = bool
  nullable    = false
  default     = true
}

variable "deletion_protection" {
  description = "Whether DynamoDB refuses to delete the tables."
  type        = bool
  nullable    = false
  default     = true
}

variable "force_destroy" {
  description = "Whether destroying the pipeline destroys the objects in its buckets."
  type        = bool
  nullable    = false
  default     = false

  validation {
    condition     = !(var.force_destroy && var.deletion_protection)
    error_message = "force_destroy and deletion_protection contradict each other: set one of them."
  }
}

# Alarms

variable "alarms" {
  description = "From which figure on each alarm rings. iterator_age_s: 15 minutes of lag are no burst any more, and the shortest retention (a day) leaves 23 hours to act. dead_letters, discarded_batches: 1, as nothing but a person ever works on them. function_errors in 5 minutes: an asynchronous call is tried three times, so 3 is one that failed for good, and fewer are repaired by the next attempt. function_throttles in 5 minutes: Lambda tries again, 10 are no burst. residue_age_s: longer than the five attempts of six minutes after which a message is a dead letter. rejected_percent of at least rejects_judged_from records in 5 minutes: some bad records are every day's business, one in twenty is a producer's. export_runs: one run may meet an hour that is not settled, two in a row do not. repository_url: where docs/runbooks is to be read (https://.../), for the alarms' descriptions."
  type = object({
    enabled             = optional(bool, true)
    iterator_age_s      = optional(number, 900)
    dead_letters        = optional(number, 1)
    discarded_batches   = optional(number, 1)
    function_errors     = optional(number, 3)
    function_throttles  = optional(number, 10)
    residue_age_s       = optional(number, 2400)
    rejected_percent    = optional(number, 5)
    rejects_judged_from = optional(number, 100)
    export_runs         = optional(number, 2)
    repository_url      = optional(string, "")
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.alarms.iterator_age_s <= var.stream.retention_h * 1800
    error_message = "alarms.iterator_age_s is at most half of the stream's retention: else the alarm leaves no time to act."
  }

  validation {
    condition = alltrue([
      for name in ["enrich", "aggregate", "archive"] :
      var.alarms.residue_age_s > var.queues[name].visibility_timeout_s * var.queues[name].max_receive_count
    ])
    error_message = "alarms.residue_age_s is longer than a message of enrich, aggregate or archive is tried (visibility_timeout_s times max_receive_count): else it rings for what still gets done."
  }
}

variable "alarm_emails" {
  description = "Addresses that get each alarm by mail, once they have confirmed it."
  type        = list(string)
  nullable    = false
  default     = []
}

variable "alarm_actions" {
  description = "ARNs of what else each alarm tells, when it rings and when it is over: topics, functions, incident plans; four at most."
  type        = list(string)
  nullable    = false
  default     = []
}

# Protection

variable "kms_key_arn" {
  description = "KMS key for stream, buckets, tables, queues, settings and logs; empty for AWS's own keys. Its policy must let CloudWatch Logs, CloudWatch and S3 use it."
  type        = string
  nullable    = false
  default     = ""

  validation {
    condition     = var.kms_key_arn == "" || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "The KMS key is given by its ARN (arn:...:kms:...:key/...), or is empty."
  }
}

variable "vpc_config" {
  description = "Subnets and security groups in which all functions run; empty for Lambda's own network. The subnets must reach S3, DynamoDB, SQS, Kinesis and CloudWatch Logs: by endpoints of the VPC, or by NAT."
  type = object({
    subnet_ids         = optional(list(string), [])
    security_group_ids = optional(list(string), [])
  })
  nullable = false
  default  = {}

  validation {
    condition     = (length(var.vpc_config.subnet_ids) > 0) == (length(var.vpc_config.security_group_ids) > 0)
    error_message = "A VPC needs both: one subnet or more, and one security group or more."
  }

  validation {
    condition = alltrue(concat(
      [for id in var.vpc_config.subnet_ids : startswith(id, "subnet-")],
      [for id in var.vpc_config.security_group_ids : startswith(id, "sg-")],
    ))
    error_message = "Subnets are named by id (subnet-...), and so are security groups (sg-...)."
  }
}

variable "enforce_tls" {
  description = "Whether buckets and queues refuse requests in the clear. Off only where the endpoint has no TLS."
  type        = bool
  nullable    = false
  default     = true
}

variable "enforce_if_none_match" {
  description = "Whether the data bucket refuses to overwrite raw, enriched and archived objects. Off only where the endpoint does not know the condition key s3:if-none-match."
  type        = bool
  nullable    = false
  default     = true
}
