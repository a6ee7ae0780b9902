"""Whose numbers an event belongs to, and which rows it counts in under a set of definitions."""

from collections.abc import Iterator

from millrace.aggregates import LIVE, AggregateKey, Dimension, Scope, Version
from millrace.counting.amounts import amount_at
from millrace.counting.payloads import text_at
from millrace.definitions import Definitions, Grouping, Metric, SumMetric
from millrace.enriched import EnrichedEvent
from millrace.windows import window_of


def rows_of(
    event: EnrichedEvent, definitions: Definitions, version: Version = LIVE
) -> Iterator[AggregateKey]:
    """Yield the key of each row that an event counts in under `version`.

    Live counts by the live metrics, a replay by all of them.
    """
    metrics = definitions.live if version == LIVE else definitions.metrics
    for metric in metrics:
        if is_counted(event, metric):
            for grouping in metric.dimensions:
                for width in metric.windows:
                    for scope in scopes_of(event, grouping):
                        window = window_of(event.event_time, width)
                        yield AggregateKey(scope, window, metric.name, version)


def is_counted(event: EnrichedEvent, metric: Metric) -> bool:
    """Tell whether a metric counts an event: its type belongs, and a sum finds its number."""
    if not metric.counts(event.event_type):
        return False
    return not isinstance(metric, SumMetric) or amount_at(event.payload, metric.path) is not None


def scopes_of(event: EnrichedEvent, grouping: Grouping) -> Iterator[Scope]:
    """Yield the scopes of one grouping in which an event counts; none where it lacks the value."""
    dimension = grouping.dimension
    match dimension:
        case Dimension.TYPE:
            yield Scope.of(dimension, event.event_type)
        case Dimension.SOURCE:
            yield Scope.of(dimension, event.source)
        case Dimension.ENTITY:
            yield Scope.of(dimension, event.entity_id)
        case Dimension.CLIENT:
            yield Scope.of(dimension, event.client_id)
        case Dimension.EXPERIMENT:
            pairs = ((each.experiment_id, each.variant) for each in event.assignments)
            for experiment_id, variant in dict.fromkeys(pairs):
                yield Scope.of(dimension, experiment_id, variant)
        case Dimension.PAYLOAD:
            value = text_at(event.payload, grouping.path)
            if value is not None:
                yield Scope.of(dimension, ".".join(grouping.path), value)
