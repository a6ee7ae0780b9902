"""What quarantine needs of the outside; `millrace.aws`, the command and fakes provide it.

Every method may block and may raise RetryableError or ConfigError; iterators raise while iterating.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from millrace.commit import CommitHead, ShardKey
from millrace.event import Event
from millrace.quarantine.marks import CommitKey, CommitMarks
from millrace.quarantine.record import Place
from millrace.quarantine.rule import Rule


class ArrivedCommits(Protocol):
    """Commit rows by arrival, without a scan."""

    def shards(self) -> Sequence[ShardKey]:
        """Return every shard that the stream has or had, sorted."""
        ...

    def heads(self, shard: ShardKey, start: datetime, first_seq: int) -> Iterator[CommitHead]:
        """Yield a shard's commits in order, from the first that may hold arrivals since `start`.

        first_seq: none that ends before it is wanted.
        """
        ...

    def covering(self, shard: ShardKey, seq: int) -> CommitHead | None:
        """Return the one commit whose range holds the sequence number, if there is one."""
        ...


class Bodies(Protocol):
    """Quarantine objects."""

    def get(self, key: str) -> bytes:
        """Return an object's bytes; raise ObjectMissing if there is none."""
        ...


class MarkStore(Protocol):
    """Marks by commit; reads are strongly consistent."""

    def read(self, keys: Sequence[CommitKey]) -> Mapping[CommitKey, CommitMarks]:
        """Return the marks of each commit; version 0 where there are none."""
        ...

    def write(self, marks: CommitMarks) -> bool:
        """Replace a commit's marks if the stored version is the one before; return whether so."""
        ...


class RuleStore(Protocol):
    """Every rule that was ever used, by its hash."""

    def keep(self, rule: Rule) -> None:
        """Store a rule, or leave the same one that is there."""
        ...

    def find(self, rule_hash: str) -> Rule | None:
        """Return the rule with this hash, if one was used."""
        ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One repaired record on its way to the stream."""

    place: Place
    """Where it lies in quarantine."""
    event: Event
    data: bytes


class FrontDoor(Protocol):
    """The stream, as producers reach it."""

    def put(self, events: Sequence[Outgoing]) -> None:
        """Put the events; when this returns, the stream has taken all of them (at least once)."""
        ...
