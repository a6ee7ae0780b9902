"""What is counted once: all events of a commit, or one replayed event under its version.

A unit carries the marks that say which of its parts are written, and its id owns the unique
markers that it inserted.
"""

from dataclasses import dataclass

from millrace.aggregates import LIVE, Version
from millrace.commit import ShardKey
from millrace.enriched import EnrichedEvent
from millrace.identity import gate_key
from millrace.times import to_epoch_ms


@dataclass(frozen=True, slots=True)
class CommitUnit:
    """A live commit: its row in the ledger carries the marks."""

    commit_id: str
    shard: ShardKey
    first_seq: int

    @property
    def id(self) -> str:
        """The name under which it owns markers."""
        return self.commit_id

    @property
    def version(self) -> Version:
        """Commits count live."""
        return LIVE

    def __str__(self) -> str:
        """Name it in an error."""
        return f"commit {self.commit_id}"


@dataclass(frozen=True, slots=True)
class ReplayUnit:
    """One replayed event: a marker of its own carries the marks.

    However often a replay sends an event, and in whatever company, it counts once under its
    version. The arrival is part of it because a replay that includes duplicates counts each
    arrival of the same event.
    """

    version: Version
    event: str
    """Hash of source and event id: 32 hex digits."""
    arrival_ms: int

    @classmethod
    def of(cls, event: EnrichedEvent, version: Version) -> "ReplayUnit":
        """Return the unit of an event that is replayed under `version`."""
        key = gate_key(event.source, event.event_id).hex()
        return cls(version, key, to_epoch_ms(event.arrival_time))

    @property
    def id(self) -> str:
        """The name under which it owns markers."""
        return f"{self.version}/{self.event}/{self.arrival_ms}"

    def __str__(self) -> str:
        """Name it in an error."""
        return f"replayed event {self.id}"


Unit = CommitUnit | ReplayUnit
