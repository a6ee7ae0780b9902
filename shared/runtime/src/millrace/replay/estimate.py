"""What a replay will take: time from the rate, money from its events and AWS's public prices.

An estimate for a decision, not a bill: the storage of markers, logs and data transfer are left
out. Prices of us-east-1, on demand, as published on 2025-11:
https://aws.amazon.com/dynamodb/pricing/on-demand/ https://aws.amazon.com/sqs/pricing/
https://aws.amazon.com/s3/pricing/ https://aws.amazon.com/lambda/pricing/
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from millrace.aggregates import Dimension
from millrace.definitions import Metric, UniqueMetric
from millrace.index import IndexEntry
from millrace.replay.plan import Estimate
from millrace.times import to_epoch_ms
from millrace.windows import WindowWidth

USD_PER_MILLION_WRITE_UNITS = 0.625
USD_PER_MILLION_SQS_REQUESTS = 0.40
USD_PER_MILLION_GETS = 0.40
USD_PER_MILLION_PUTS = 5.0
USD_PER_GB_SECOND = 0.0000166667

SQS_REQUESTS_PER_MESSAGE = 0.3
"""Sent, received and deleted in tens."""
MOST_READ_TOGETHER = 500
WINDOW_S = 1
"""The processor takes what arrives in so many seconds, up to so many messages, and makes one object
and one reference of it: Terraform's defaults for `queues.replay`."""
ITEMS_PER_TRANSACTION = 100
"""The mark of each event, and the rows that they touch together."""
GB_SECONDS_PER_EVENT = 0.001
"""Two functions of 0.5 GB for about a millisecond an event each."""
TRANSACTED = 2
"""Write units of an item in a transaction; an entity's marker is inserted by itself, for one."""

_Kind = tuple[int, Dimension, WindowWidth, bool]
"""A metric by one dimension and width, numbered, and whether it counts entities."""
_Row = tuple[int, str | None, int]
"""A kind, the value of its dimension as far as it is known, and the number of the window."""


@dataclass(slots=True)
class Reckoning:
    """Takes the events of a plan in the order they are sent, and counts what they will write.

    They are cut as the processor and aggregate cut them: into objects by what arrives together,
    into transactions by what fits. Which rows an event touches is known of its type, source and
    entity; a client, an experiment's variant and a value in the payload are taken for one each.
    Memory is that of one transaction.
    """

    metrics: Sequence[Metric]
    rate: int
    """Messages a second."""
    events: int = 0
    references: int = 0
    write_units: float = 0.0
    _rows: set[_Row] = field(default_factory=set)
    _entities: set[tuple[_Row, str]] = field(default_factory=set)
    _marks: int = 0
    _together: int = 0
    _kinds: dict[str, Sequence[_Kind]] = field(default_factory=dict)

    def take(self, entry: IndexEntry) -> None:
        """Count one event."""
        if self._together == 0 or self._together >= self.read_together:
            self._close()
            self.references += 1
            self._together = 0
        rows = self._rows_of(entry)
        if self._marks + 1 + len(self._rows | rows.keys()) > ITEMS_PER_TRANSACTION:
            self._close()
        self._marks += 1
        self._rows |= rows.keys()
        self._entities |= {(row, entry.entity_id) for row, unique in rows.items() if unique}
        self._together += 1
        self.events += 1

    @property
    def read_together(self) -> int:
        """How many events share an object and a reference at this rate."""
        return max(1, min(MOST_READ_TOGETHER, self.rate * WINDOW_S))

    def estimate(self, members: int) -> Estimate:
        """Return what all events take that were counted, `members` being fetched for them."""
        self._close()
        dollars = (
            self.write_units * USD_PER_MILLION_WRITE_UNITS
            + (self.events + self.references)
            * SQS_REQUESTS_PER_MESSAGE
            * USD_PER_MILLION_SQS_REQUESTS
            + max(members, self.references) * USD_PER_MILLION_GETS
            + self.references * USD_PER_MILLION_PUTS
        ) / 1_000_000 + self.events * GB_SECONDS_PER_EVENT * USD_PER_GB_SECOND
        seconds = round(self.events / self.rate, 3)
        return Estimate(seconds=seconds, usd=round(dollars, 6), write_units=self.write_units)

    def _close(self) -> None:
        """End a transaction."""
        self.write_units += TRANSACTED * (self._marks + len(self._rows)) + len(self._entities)
        self._rows, self._entities, self._marks = set(), set(), 0

    def _rows_of(self, entry: IndexEntry) -> dict[_Row, bool]:
        """Return the rows that an event touches, and whether each counts entities."""
        at_ms = to_epoch_ms(entry.event_time)
        values = {
            Dimension.TYPE: entry.event_type,
            Dimension.SOURCE: entry.source,
            Dimension.ENTITY: entry.entity_id,
        }
        return {
            (number, values.get(dimension), at_ms // _MS[width]): unique
            for number, dimension, width, unique in self._kinds_of(entry.event_type)
        }

    def _kinds_of(self, event_type: str) -> Sequence[_Kind]:
        if event_type not in self._kinds:
            self._kinds[event_type] = [
                (number, dimension, width, unique)
                for number, (metric, dimension, width, unique) in enumerate(_kinds(self.metrics))
                if metric.counts(event_type)
            ]
        return self._kinds[event_type]


_MS = {width: int(width.span.total_seconds() * 1000) for width in WindowWidth}


def _kinds(metrics: Sequence[Metric]) -> Iterator[tuple[Metric, Dimension, WindowWidth, bool]]:
    for metric in metrics:
        for grouping in metric.dimensions:
            for width in metric.windows:
                yield metric, grouping.dimension, width, isinstance(metric, UniqueMetric)
