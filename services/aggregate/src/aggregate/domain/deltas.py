"""What the events of one commit add to which rows."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from decimal import Decimal

from aggregate.domain.amounts import amount_at, total
from millrace.aggregates import SAMPLES, AggregateKey, Dimension, Scope
from millrace.definitions import CountMetric, Definitions, Metric, SumMetric, UniqueMetric
from millrace.enriched import EnrichedEvent
from millrace.windows import Window, WindowWidth, window_of


@dataclass(frozen=True, slots=True)
class Delta:
    """What is added to one row."""

    value: int | Decimal
    event_count: int
    input_hash: int
    """At most 20 digits an event, so DynamoDB's 38 last for 10^18 events a row."""
    sample_event_ids: tuple[str, ...]
    """The first of the object, so every attempt has the same."""


@dataclass(frozen=True, slots=True)
class Marker:
    """One entity of one unique row: whoever inserts it first has counted it."""

    key: AggregateKey
    entity_id: str


@dataclass(frozen=True, slots=True)
class Contributions:
    """All that one commit adds. Which rows there are depends on its object alone."""

    deltas: Mapping[AggregateKey, Delta]
    """The value of a unique row is 0 until its markers are resolved."""
    markers: tuple[Marker, ...]
    """Distinct entities of the unique rows."""
    unusable_amounts: int
    """Events left out of a sum because they bring no usable number, counted for each metric."""

    def with_owned(self, owned: AbstractSet[Marker]) -> dict[AggregateKey, Delta]:
        """Return the deltas with each unique row's value: how many of its markers are `owned`."""
        values = Counter(marker.key for marker in self.markers if marker in owned)
        return dict(self.deltas) | {
            key: replace(self.deltas[key], value=value) for key, value in values.items()
        }


@dataclass(frozen=True, slots=True)
class _Counted:
    """An event and its hash, which several rows need."""

    event: EnrichedEvent
    hash64: int


Cell = tuple[Scope, Window]


def contributions(events: Sequence[EnrichedEvent], definitions: Definitions) -> Contributions:
    """Return what `events` add under the live metrics of `definitions`.

    The order of `events` decides the samples and nothing else.
    """
    metrics = _by_cell_kind(definitions.live)
    deltas: dict[AggregateKey, Delta] = {}
    markers: list[Marker] = []
    for (scope, window), members in _cells(events, metrics).items():
        for metric in metrics[scope.dimension, window.width]:
            key = AggregateKey(scope, window, metric.name)
            chosen, value = _measured(metric, members)
            if chosen:
                deltas[key] = _delta(chosen, value)
            if isinstance(metric, UniqueMetric):
                entities = dict.fromkeys(each.event.entity_id for each in chosen)
                markers.extend(Marker(key, entity) for entity in entities)
    return Contributions(deltas, tuple(markers), _unusable(events, definitions.live))


def _by_cell_kind(
    metrics: Iterable[Metric],
) -> Mapping[tuple[Dimension, WindowWidth], Sequence[Metric]]:
    kinds: dict[tuple[Dimension, WindowWidth], list[Metric]] = defaultdict(list)
    for metric in metrics:
        for dimension in metric.dimensions:
            for width in metric.windows:
                kinds[dimension, width].append(metric)
    return kinds


def _cells(
    events: Iterable[EnrichedEvent], kinds: Iterable[tuple[Dimension, WindowWidth]]
) -> Mapping[Cell, Sequence[_Counted]]:
    """Group the events by scope and window, in their order, for the kinds that are asked for."""
    cells: dict[Cell, list[_Counted]] = defaultdict(list)
    asked = list(kinds)
    for event in events:
        counted = _Counted(event, event.hash64)
        windows = {width: window_of(event.event_time, width) for width in WindowWidth}
        for dimension, width in asked:
            for scope in _scopes(event, dimension):
                cells[scope, windows[width]].append(counted)
    return cells


def _scopes(event: EnrichedEvent, dimension: Dimension) -> Iterator[Scope]:
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


def _measured(
    metric: Metric, members: Sequence[_Counted]
) -> tuple[Sequence[_Counted], int | Decimal]:
    """Return the members that count, and the value they give."""
    chosen = [each for each in members if metric.counts(each.event.event_type)]
    match metric:
        case CountMetric():
            return chosen, len(chosen)
        case SumMetric():
            amounts = [(each, amount_at(each.event.payload, metric.path)) for each in chosen]
            usable = [(each, amount) for each, amount in amounts if amount is not None]
            return [each for each, _ in usable], total(amount for _, amount in usable)
        case UniqueMetric():
            return chosen, 0


def _unusable(events: Sequence[EnrichedEvent], metrics: Iterable[Metric]) -> int:
    return sum(
        amount_at(event.payload, metric.path) is None
        for metric in metrics
        if isinstance(metric, SumMetric)
        for event in events
        if metric.counts(event.event_type)
    )


def _delta(members: Sequence[_Counted], value: int | Decimal) -> Delta:
    return Delta(
        value=value,
        event_count=len(members),
        input_hash=sum(each.hash64 for each in members),
        sample_event_ids=tuple(each.event.event_id for each in members[:SAMPLES]),
    )
