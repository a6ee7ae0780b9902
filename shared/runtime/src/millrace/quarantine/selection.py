"""Which records of quarantine somebody means."""

from collections.abc import Set
from dataclasses import dataclass, field
from datetime import datetime

from millrace.commit import CommitHead
from millrace.quarantine.marks import State
from millrace.quarantine.record import Place, QuarantinedRecord
from millrace.reasons import RejectReason


@dataclass(frozen=True, slots=True)
class Selection:
    """All of what is said must hold; an empty set says nothing."""

    start: datetime
    end: datetime
    """Arrival, half-open."""
    reasons: Set[RejectReason] = field(default_factory=frozenset)
    sources: Set[str] = field(default_factory=frozenset)
    event_types: Set[str] = field(default_factory=frozenset)
    schema_versions: Set[str] = field(default_factory=frozenset)
    states: Set[State] = field(default_factory=frozenset)
    places: Set[Place] = field(default_factory=frozenset)
    after: Place | None = None
    """Only records behind this one: the next page."""
    limit: int | None = None
    """At most so many records."""

    def touches(self, head: CommitHead) -> bool:
        """Tell whether a commit may hold a record that is meant."""
        return (
            head.quarantine_key is not None
            and head.first_arrival < self.end
            and head.last_arrival >= self.start
            and (self.after is None or (head.shard.shard_id, head.last_seq) >= self.after_seq)
            and (not self.places or any(_inside(place, head) for place in self.places))
        )

    @property
    def after_seq(self) -> tuple[str, int]:
        """Shard and sequence number of `after`; before everything if there is none."""
        return (self.after.shard_id, self.after.seq) if self.after else ("", -1)

    def matches(self, record: QuarantinedRecord) -> bool:
        """Tell whether a record is meant, its state apart."""
        traits = record.traits
        return (
            self.start <= record.arrival < self.end
            and (self.after is None or record.place > self.after)
            and _says(self.places, record.place)
            and _says(self.reasons, record.reason)
            and _says(self.sources, traits.source)
            and _says(self.event_types, traits.event_type)
            and _says(self.schema_versions, traits.schema_version)
        )

    def matches_state(self, state: State) -> bool:
        """Tell whether a record in that state is meant."""
        return _says(self.states, state)


def _says(wanted: Set[object], value: object) -> bool:
    return not wanted or value in wanted


def _inside(place: Place, head: CommitHead) -> bool:
    at = head.shard.shard_id
    return place.shard_id == at and head.first_seq <= place.seq <= head.last_seq
