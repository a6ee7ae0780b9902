"""Embedded metrics: what a function prints in CloudWatch's format becomes metrics, as in AWS.

Format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from millrace_local.shims.patching import attribute, replace


class Metric(NamedTuple):
    """One value of one metric under one set of dimensions."""

    namespace: str
    name: str
    value: float
    unit: str
    dimensions: dict[str, str]


def turn_log_lines_into_metrics() -> None:
    """Record the metrics of each invocation's log, which ministack only stores as text."""
    original = attribute("services.lambda_svc", "_emit_lambda_logs")
    record_metric = attribute("services.cloudwatch", "record_metric")

    def emit_lambda_logs(
        func: object, request_id: str, log_text: str, *rest: object, **more: object
    ) -> None:
        original(func, request_id, log_text, *rest, **more)
        for metric in metrics_of(log_text or ""):
            record_metric(*metric)

    replace("services.lambda_svc", "_emit_lambda_logs", emit_lambda_logs)


def metrics_of(log_text: str) -> Iterator[Metric]:
    """Yield the metrics of a log, passing over lines that hold none or are malformed."""
    for line in log_text.splitlines():
        if '"_aws"' not in line:
            continue
        try:
            yield from list(_metrics_of_line(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue


def _metrics_of_line(document: dict[str, Any]) -> Iterator[Metric]:
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(document[name]) for name in names}
            for metric in directive["Metrics"]:
                values = document[metric["Name"]]
                for value in values if isinstance(values, list) else [values]:
                    unit = metric.get("Unit", "None")
                    yield Metric(
                        directive["Namespace"], metric["Name"], float(value), unit, dimensions
                    )
