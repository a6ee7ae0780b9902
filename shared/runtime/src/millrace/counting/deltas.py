"""What the events of one unit add to which rows."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from decimal import Decimal

from millrace.aggregates import LIVE, SAMPLES, AggregateKey, Scope, Version
from millrace.counting.amounts import added, amount_at, total
from millrace.counting.scoping import scopes_of
from millrace.definitions import (
    CountMetric,
    Definitions,
    Grouping,
    Metric,
    SumMetric,
    UniqueMetric,
)
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
    markers_of: Version | None = None
    """Of a unique row: the version whose markers its value was resolved by."""

    def plus(self, other: "Delta") -> "Delta":
        """Return what both add to one row; the samples of this one come first."""
        return Delta(
            value=added(self.value, other.value),
            event_count=self.event_count + other.event_count,
            input_hash=self.input_hash + other.input_hash,
            sample_event_ids=(self.sample_event_ids + other.sample_event_ids)[:SAMPLES],
            markers_of=self.markers_of,
        )


@dataclass(frozen=True, slots=True)
class Marker:
    """One entity of one unique row: whoever inserts it first has counted it."""

    key: AggregateKey
    entity_id: str


@dataclass(frozen=True, slots=True)
class Contributions:
    """All that one unit adds. Which rows there are depends on its object alone."""

    deltas: Mapping[AggregateKey, Delta]
    """The value of a unique row is 0 until its markers are resolved."""
    markers: tuple[Marker, ...]
    """Distinct entities of the unique rows."""
    unusable_amounts: int
    """Events left out of a sum because they bring no usable number, counted for each metric."""

    def with_owned(
        self,
        owned: AbstractSet[Marker],
        markers_of: Callable[[AggregateKey], Version] = lambda key: key.version,
    ) -> dict[AggregateKey, Delta]:
        """Return the deltas with each unique row's value: how many of its markers are `owned`.

        `markers_of` says by which version's markers that was decided.
        """
        values = Counter(marker.key for marker in self.markers if marker in owned)
        unique = dict.fromkeys(marker.key for marker in self.markers)
        return dict(self.deltas) | {
            key: replace(self.deltas[key], value=values[key], markers_of=markers_of(key))
            for key in unique
        }


@dataclass(frozen=True, slots=True)
class _Counted:
    """An event and its hash, which several rows need."""

    event: EnrichedEvent
    hash64: int


CellKind = tuple[Grouping, WindowWidth]


def contributions(
    events: Sequence[EnrichedEvent], definitions: Definitions, version: Version = LIVE
) -> Contributions:
    """Return what `events` add under `version`: live by the live metrics, a replay by all.

    The order of `events` decides the samples and nothing else.
    """
    counted = definitions.live if version == LIVE else definitions.metrics
    metrics = _by_cell_kind(counted)
    deltas: dict[AggregateKey, Delta] = {}
    markers: list[Marker] = []
    for (scope, window, kind), members in _cells(events, metrics).items():
        for metric in metrics[kind]:
            key = AggregateKey(scope, window, metric.name, version)
            chosen, value = _measured(metric, members)
            if chosen:
                deltas[key] = _delta(chosen, value)
            if isinstance(metric, UniqueMetric):
                entities = dict.fromkeys(each.event.entity_id for each in chosen)
                markers.extend(Marker(key, entity) for entity in entities)
    return Contributions(deltas, tuple(markers), _unusable(events, counted))


def _by_cell_kind(metrics: Iterable[Metric]) -> Mapping[CellKind, Sequence[Metric]]:
    kinds: dict[CellKind, list[Metric]] = defaultdict(list)
    for metric in metrics:
        for grouping in metric.dimensions:
            for width in metric.windows:
                kinds[grouping, width].append(metric)
    return kinds


def _cells(
    events: Iterable[EnrichedEvent], kinds: Iterable[CellKind]
) -> Mapping[tuple[Scope, Window, CellKind], Sequence[_Counted]]:
    """Group the events by scope and window, in their order, for the kinds that are asked for."""
    cells: dict[tuple[Scope, Window, CellKind], list[_Counted]] = defaultdict(list)
    asked = list(kinds)
    for event in events:
        counted = _Counted(event, event.hash64)
        windows = {width: window_of(event.event_time, width) for width in WindowWidth}
        for kind in asked:
            grouping, width = kind
            for scope in scopes_of(event, grouping):
                cells[scope, windows[width], kind].append(counted)
    return cells


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
