"""The values of the aggregates table: whose numbers, of which window, metric and version."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NewType

from millrace.windows import Window

Version = NewType("Version", str)
"""Which computation a row belongs to: `live`, or a replay's start in epoch seconds."""

LIVE = Version("live")
MIXED = "mixed"
SAMPLES = 5  # event ids that a row keeps, for somebody who asks what went into it


class Dimension(StrEnum):
    """What a metric is counted by; the value is its name in definitions."""

    TYPE = "type"
    SOURCE = "source"
    ENTITY = "entity"
    CLIENT = "client"
    EXPERIMENT = "experiment"
    """By experiment and variant."""
    PAYLOAD = "payload"
    """By the value that the events' payloads hold at one path; definitions name it with the path:
    `payload.country`."""


_IDS = {Dimension.EXPERIMENT: 2, Dimension.PAYLOAD: 2}  # all others have one


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """Whose numbers a row holds: one value of one dimension."""

    dimension: Dimension
    ids: tuple[str, ...]
    """One id as it came from outside; for an experiment two, its id and the variant; for a payload
    two, the names on the path, joined by dots, and the value."""

    def __post_init__(self) -> None:
        wanted = _IDS.get(self.dimension, 1)
        if len(self.ids) != wanted:
            raise ValueError(
                f"a scope by {self.dimension.value} has {wanted} id(s), not {len(self.ids)}"
            )

    @classmethod
    def of(cls, dimension: Dimension, *ids: str) -> "Scope":
        """Return the scope of `ids`: if two, experiment and variant, or path and value."""
        return cls(dimension, ids)


@dataclass(frozen=True, slots=True, order=True)
class AggregateKey:
    """The one row of a scope, window, metric and version."""

    scope: Scope
    window: Window
    metric: str
    version: Version = LIVE


@dataclass(frozen=True, slots=True)
class AggregateRow:
    """One number and what went into it.

    Two rows with equal `event_count` and `input_hash` were computed from the same events.
    """

    key: AggregateKey
    value: int | Decimal
    """A whole number comes as int."""
    event_count: int
    input_hash: int
    """The sum of the events' 64-bit hashes: whatever their order."""
    sample_event_ids: tuple[str, ...]
    """At most SAMPLES; the first ones of the reference that was counted first."""
    defs_version: str
    """Hash of the metric definitions; `mixed` if more than one contributed."""
    updated_at: datetime
    promoted_version: str | None = field(default=None, compare=False)
    """Of a live row: the replay whose value was promoted to it."""
