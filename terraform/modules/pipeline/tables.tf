# Keys of the tables. Only key attributes are named here; the adapters beside the code know the rest.

locals {
  table_defaults = { range_key = "", global_secondary_indexes = {}, ttl_attribute = "" }

  tables = { for name, table in local.table_keys : name => merge(local.table_defaults, table) }

  table_keys = {
    commits = {
      attributes = { shard = "S", seq = "S", unfinished = "S", committed_at = "S" }
      hash_key   = "shard"
      range_key  = "seq"
      # Sparse: an item leaves it when its last stage removes `unfinished`.
      global_secondary_indexes = {
        unfinished = {
          hash_key        = "unfinished"
          range_key       = "committed_at"
          projection_type = "KEYS_ONLY"
        }
      }
    }
    gate = {
      attributes    = { id = "B" }
      hash_key      = "id"
      ttl_attribute = "expires_at"
    }
    # Pages of an entity bucket and event day, and each day's bucket count.
    event_index = {
      attributes = { PK = "S", SK = "S" }
      hash_key   = "PK"
      range_key  = "SK"
    }
    aggregates = {
      attributes = { PK = "S", SK = "S", replay_version = "S" }
      hash_key   = "PK"
      range_key  = "SK"
      # Sparse: rows of replays alone. Keys never change, so it costs one write a row.
      global_secondary_indexes = {
        by_version = {
          hash_key        = "replay_version"
          range_key       = "PK"
          projection_type = "KEYS_ONLY"
        }
      }
    }
    markers = {
      attributes    = { PK = "S", SK = "S" }
      hash_key      = "PK"
      range_key     = "SK"
      ttl_attribute = "expires_at"
    }
    assignments = {
      attributes = { entity_id = "S" }
      hash_key   = "entity_id"
    }
    experiments = {
      attributes = { experiment_id = "S" }
      hash_key   = "experiment_id"
    }
    manifests = {
      attributes = { hour = "S", object_key = "S" }
      hash_key   = "hour"
      range_key  = "object_key"
    }
    # Plans, replays, their progress and audit; kept for good.
    replays = {
      attributes = { PK = "S", SK = "S" }
      hash_key   = "PK"
      range_key  = "SK"
    }
    # Why messages failed, as their consumers noted it: what a dead letter's body does not say.
    notes = {
      attributes    = { message = "S" }
      hash_key      = "message"
      ttl_attribute = "expires_at"
    }
    # What people did by hand: when, who, why, and what came of it; kept for good.
    audit = {
      attributes = { month = "S", entry = "S" }
      hash_key   = "month"
      range_key  = "entry"
    }
  }
}
