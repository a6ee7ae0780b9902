"""How many records are in quarantine, of which kind, and what share of all they are."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from millrace.commit import CommitHead
from millrace.quarantine.reading import Held


class Dimension(StrEnum):
    """What records are counted by."""

    REASON = "reason"
    SOURCE = "source"
    EVENT_TYPE = "event_type"
    SCHEMA_VERSION = "schema_version"
    STATE = "state"
    HOUR = "hour"
    """Of arrival, UTC."""


Group = tuple[str | None, ...]


@dataclass(slots=True)
class Statistics:
    """Counts of quarantined records by some dimensions."""

    by: tuple[Dimension, ...]
    groups: Counter[Group] = field(default_factory=Counter)
    records: int = 0
    first_arrival: datetime | None = None
    last_arrival: datetime | None = None
    received: int = 0
    """All records of the commits that arrived in the window, good ones too."""
    quarantined: int = 0
    """Of those, all that were rejected, selected or not."""

    def passing(self, heads: Iterable[CommitHead]) -> Iterator[CommitHead]:
        """Yield the commits on, counted."""
        for head in heads:
            self.received += head.counts.received
            self.quarantined += head.counts.quarantined
            yield head

    def count(self, held: Iterable[Held]) -> None:
        """Count all of the records."""
        for each in held:
            at = each.record.arrival
            self.records += 1
            self.first_arrival = min(at, self.first_arrival or at)
            self.last_arrival = max(at, self.last_arrival or at)
            self.groups[tuple(_value(dimension, each) for dimension in self.by)] += 1

    @property
    def share(self) -> float:
        """Rejected of received, in the commits of the window."""
        return self.quarantined / self.received if self.received else 0.0


def _value(dimension: Dimension, held: Held) -> str | None:
    record, traits = held.record, held.record.traits
    match dimension:
        case Dimension.REASON:
            return record.reason
        case Dimension.SOURCE:
            return traits.source
        case Dimension.EVENT_TYPE:
            return traits.event_type
        case Dimension.SCHEMA_VERSION:
            return traits.schema_version
        case Dimension.STATE:
            return held.state.value
        case Dimension.HOUR:
            return f"{record.arrival:%Y-%m-%dT%H}"
