# What rings and what is shown: of everything that there is, in every stack for itself.

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

run "every_function_and_every_dead_letter_queue_is_watched" {
  command = apply

  assert {
    condition     = toset([for key in keys(output.alarms) : key if startswith(key, "dlq-")]) == toset([for queue in keys(output.dlq_urls) : "dlq-${queue}"])
    error_message = "each dead-letter queue has an alarm"
  }

  assert {
    condition = alltrue([
      for service in keys(output.functions) : alltrue([for kind in ["errors", "throttles"] : contains(keys(output.alarms), "${kind}-${service}")])
    ])
    error_message = "each function has alarms for errors and throttles"
  }

  assert {
    condition     = alltrue([for key, name in output.alarms : name == "millrace-test-${key}"]) && output.dashboard == "millrace-test"
    error_message = "alarms and dashboard carry the prefix"
  }

  assert {
    condition     = local.common_settings.POWERTOOLS_METRICS_NAMESPACE == "Millrace/millrace-test"
    error_message = "a stack has metrics of its own"
  }
}

run "alarms_are_optional" {
  command = apply

  variables {
    alarms = { enabled = false }
  }

  assert {
    condition     = length(output.alarms) == 0 && output.alarm_topic_arn == null && output.dashboard == null
    error_message = "without alarms there is neither topic nor dashboard"
  }
}

run "thresholds_are_handed_on_and_null_is_their_default" {
  command = apply

  variables {
    alarms = { dead_letters = 7, function_errors = null }
  }

  assert {
    condition     = module.alarms[0].thresholds["dlq-enrich"] == 7 && module.alarms[0].thresholds["errors-ingest"] == 3
    error_message = "what is said holds, what is not said or null is the alarm's own default"
  }
}
