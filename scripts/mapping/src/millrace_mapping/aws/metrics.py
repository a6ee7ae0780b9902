"""CloudWatch metrics of a mapping, summed up over a moment.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from millrace_mapping.core.measures import Measure, Metric
from millrace_mapping.core.settings import MappingSettings

_NAMESPACE = "AWS/Lambda"
_OF_THE_FUNCTION = {Metric.ITERATOR_AGE, Metric.DELIVERY_FAILURES}


class CloudWatchMetrics:
    """`millrace_mapping.ports.Metrics`. AWS alone may write to this namespace; emulators let us."""

    def __init__(self, client: Any, settings: MappingSettings) -> None:  # noqa: ANN401
        """Publish under the function's name and the mapping's UUID."""
        self._client = client
        function = settings.function_arn.split(":function:")[-1].partition(":")[0]
        self._function = [{"Name": "FunctionName", "Value": function}]
        self._mapping = [{"Name": "EventSourceMappingUUID", "Value": settings.uuid}]

    def publish(self, measures: Sequence[Measure]) -> None:
        """Put one datum for each metric; a failure loses them, and nothing else."""
        values: dict[Metric, list[float]] = defaultdict(list)
        for measure in measures:
            values[measure.metric].append(measure.value)
        data = [self._datum(metric, found) for metric, found in values.items()]
        with suppress(ClientError, BotoCoreError):
            self._client.put_metric_data(Namespace=_NAMESPACE, MetricData=data)

    def _datum(self, metric: Metric, values: list[float]) -> dict[str, Any]:
        statistics = {
            "SampleCount": float(len(values)),
            "Sum": sum(values),
            "Minimum": min(values),
            "Maximum": max(values),
        }
        return {
            "MetricName": metric.value,
            "Dimensions": self._function if metric in _OF_THE_FUNCTION else self._mapping,
            "StatisticValues": statistics,
            "Unit": "Milliseconds" if metric is Metric.ITERATOR_AGE else "Count",
        }
