"""The commit ledger's values: what one ingest commit holds and how far its shard has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from millrace.raw_lines import Member

ARRIVAL_SLACK = timedelta(minutes=1)
"""How far arrivals may run against sequence numbers. "There are no guarantees about the time stamp
accuracy, or that the time stamp is always increasing":
https://docs.aws.amazon.com/kinesis/latest/APIReference/API_Record.html"""
SEQ_DIGITS = 64  # Kinesis sequence numbers have up to 56 digits: too many for a DynamoDB number


def padded(seq: int) -> str:
    """Return `seq` as a string that sorts as the number does."""
    return f"{seq:0{SEQ_DIGITS}d}"


@dataclass(frozen=True, slots=True)
class ShardKey:
    """One shard of one incarnation of the stream: a recreated stream reuses shard ids."""

    incarnation: str
    shard_id: str

    def __str__(self) -> str:
        """The partition key under which the ledger keeps this shard."""
        return f"{self.incarnation}#{self.shard_id}"

    @classmethod
    def parse(cls, text: str) -> "ShardKey":
        """Return the key that `str` wrote."""
        incarnation, _, shard_id = text.partition("#")
        return cls(incarnation, shard_id)


@dataclass(frozen=True, slots=True)
class Owner:
    """The one place of an event: shard, sequence number, position inside the Kinesis record."""

    shard: str
    seq: int
    position: int

    def __str__(self) -> str:
        """The form that the gate stores."""
        return f"{self.shard}|{self.seq}|{self.position}"

    @classmethod
    def parse(cls, text: str) -> "Owner":
        """Return the owner that `str` wrote."""
        shard, seq, position = text.rsplit("|", 2)
        return cls(shard, int(seq), int(position))


@dataclass(frozen=True, slots=True)
class CommittedLine:
    """One line of a raw object: where it came from, when, and whether it counts."""

    seq: int
    position: int
    arrival_ms: int
    duplicate_of: Owner | None = None
    conflict: bool = False
    behind_ms: int = 0
    """How far a late event was behind its source's highest event time on the shard; 0: in time."""


class Stage(StrEnum):
    """A stage that marks a commit as done; the value is the attribute's name."""

    ENRICHED = "enriched"
    AGGREGATED = "aggregated"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class CommitCounts:
    """What became of the records of one commit: received = accepted + duplicates + quarantined."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    """Duplicates whose content differs from the event they repeat; counted in `duplicates` too."""
    quarantined: int = 0

    @property
    def received(self) -> int:
        """All records of the commit."""
        return self.accepted + self.duplicates + self.quarantined


@dataclass(frozen=True, slots=True)
class EventSpan:
    """The earliest and the latest event time of a commit."""

    first: datetime
    last: datetime

    def touches(self, start: datetime, end: datetime) -> bool:
        """Tell whether an event of the commit may lie in `start <= event_time < end`."""
        return self.first < end and self.last >= start


@dataclass(frozen=True, slots=True)
class CommitHead:
    """The small half of a commit row: everything but the line table."""

    shard: ShardKey
    first_seq: int
    last_seq: int
    counts: CommitCounts
    first_arrival: datetime
    last_arrival: datetime
    committed_at: datetime
    correlation_id: str
    raw_key: str | None
    """None if no record of the commit was an event."""
    raw_bytes: int
    quarantine_key: str | None
    marks: Mapping[Stage, Mapping[str, object]] = field(default_factory=dict)
    event_span: EventSpan | None = None
    """None if the commit holds no event, or is older than this field."""

    @property
    def commit_id(self) -> str:
        """The name of this commit everywhere outside the ledger."""
        return f"{self.shard.incarnation}-{self.shard.shard_id}-{self.first_seq}"

    @property
    def finished(self) -> bool:
        """Nothing downstream is left to do."""
        return self.raw_key is None or all(stage in self.marks for stage in Stage)


@dataclass(frozen=True, slots=True)
class CommitBody:
    """The large half: the map from lines to records and to bytes of the raw object."""

    members: tuple[Member, ...]
    lines: tuple[CommittedLine, ...]
    stats: tuple["SourceStats", ...]


@dataclass(frozen=True, slots=True)
class SourceStats:
    """The events of one source and type within a commit."""

    source: str
    event_type: str
    accepted: int
    duplicates: int
    conflicts: int
    late: int
    """Events further behind the source's highest event time on this shard than allowed."""
    line_bytes: int
    lag: Mapping[int, int]
    """Accepted and repeated events by bucket of `millrace.lag`."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One immutable commit row: ledger entry, idempotency marker, map from sequence to bytes."""

    head: CommitHead
    body: CommitBody


@dataclass(frozen=True, slots=True, order=True)
class SeqRange:
    """Sequence numbers from `first` to `last`, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a shard is committed, and which references may not have been sent yet."""

    version: int = 0
    committed_seq: int = -1
    pending: tuple[str, ...] = ()
    """References as JSON, exactly as they are to be sent."""
    highest_ms: Mapping[str, int] = field(default_factory=dict)
    """Each source's highest event time so far on this shard: what lateness is measured from."""
