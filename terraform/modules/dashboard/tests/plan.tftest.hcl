# One row a stage, nothing over anything else.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name              = "millrace-test"
  region            = "eu-central-1"
  metrics_namespace = "Millrace/millrace-test"
  stream_name       = "millrace-test-events"
  functions         = { for s in ["ingest", "enrich", "aggregate", "archive", "replay", "export", "watch"] : s => "millrace-test-${s}" }
  queues            = { for q in ["enrich", "aggregate", "archive", "replay"] : q => "millrace-test-${q}" }
}

run "one_row_a_stage" {
  command = plan

  variables {
    alarm_arns = ["arn:aws:cloudwatch:eu-central-1:123456789012:alarm:millrace-test-residue"]
  }

  assert {
    condition = [
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets :
      widget.properties.markdown if widget.type == "text"
    ] == ["## stream", "## ingest", "## enrich", "## aggregate", "## archive", "## replay", "## export", "## watch"]
    error_message = "the rows are the stages, in the order of the flow"
  }

  assert {
    condition = alltrue([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets :
      widget.x + widget.width <= 24 && widget.width >= 6
    ])
    error_message = "a row is 24 columns wide, and a graph wide enough to be read"
  }

  assert {
    condition = length(distinct([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : "${widget.x}/${widget.y}"
    ])) == length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets)
    error_message = "no widget lies on another"
  }

  assert {
    condition = alltrue([
      for row in range(8) : anytrue([
        for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets :
        widget.type == "metric" && widget.y == 4 + row * 7 + 1
      ])
    ])
    error_message = "each heading has graphs below it"
  }

  assert {
    condition = jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[0].properties == {
      title = "Alarms", alarms = ["arn:aws:cloudwatch:eu-central-1:123456789012:alarm:millrace-test-residue"]
    }
    error_message = "alarms stand above everything"
  }
}

run "without_alarms" {
  command = plan

  assert {
    condition     = jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[0].properties.markdown == "## stream"
    error_message = "a dashboard without alarms begins with the stream"
  }
}
