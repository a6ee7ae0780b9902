"""What investigating needs of the outside; `millrace.aws` and fakes provide it.

Every method may block and may raise RetryableError or ConfigError; iterators raise while iterating.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from millrace.aggregates import AggregateRow, Scope
from millrace.commit import Commit, CommitHead, Owner, ShardKey
from millrace.quarantine.marks import CommitKey, CommitMarks
from millrace.replay.plan import Plan
from millrace.replay.progress import ProcessedObject, SkippedEvent
from millrace.replay.record import Replay
from millrace.windows import Window


class CommitPages(Protocol):
    """Commits by arrival, a page at a time."""

    def shards(self) -> Sequence[ShardKey]:
        """Return every shard that the stream has or had, in order."""
        ...

    def first_arrived(self, shard: ShardKey, at: datetime) -> int | None:
        """Return where the commits begin whose last record arrived at `at` or later."""
        ...

    def pages(self, shard: ShardKey, first_seq: int, *, lines: bool) -> Iterator[Sequence[Commit]]:
        """Yield the commits that begin at `first_seq` or later, in order.

        lines: whether line tables and members are wanted; without them they are empty.
        """
        ...


class CommitHeads(Protocol):
    """Single commits."""

    def covering(self, shard: ShardKey, seq: int) -> CommitHead | None:
        """Return the one commit whose range holds the sequence number, if there is one."""
        ...

    def load(self, shard: ShardKey, first_seq: int) -> Commit:
        """Return a commit with its line table; raise CommitMissing if there is none."""
        ...


class Gate(Protocol):
    """Who holds an event id."""

    def owner_of(self, source: str, event_id: str) -> Owner | None:
        """Return the place of the event that holds (source, event_id); None if none is known."""
        ...


class Marks(Protocol):
    """What was done about quarantined records."""

    def read(self, keys: Sequence[CommitKey]) -> Mapping[CommitKey, CommitMarks]:
        """Return the marks of each commit; none where nothing was done."""
        ...


class Bodies(Protocol):
    """Objects in the data bucket."""

    def get(self, key: str) -> bytes:
        """Return an object's bytes; raise ObjectMissing if there is none."""
        ...

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`; raise ObjectMissing if there is no object."""
        ...


class IndexBodies(Protocol):
    """The event index."""

    def bucket_counts(self, days: Iterable[date]) -> Mapping[date, int]:
        """Return the bucket count of each day that has one; without one a day has no page."""
        ...

    def bodies(self, day: date, bucket: int) -> Iterable[bytes]:
        """Return the bodies of all pages of one partition, in order of arrival, as they come."""
        ...


class CountedRows(Protocol):
    """The aggregates table."""

    def name(self, scope: Scope) -> str:
        """Return how a scope is called: `TYPE#edit`."""
        ...

    def rows(self, scope: Scope, window: Window) -> Iterable[AggregateRow]:
        """Return the rows of one scope and window: every metric and version."""
        ...


class Manifests(Protocol):
    """The manifests table, by hour (`2015-09-12T13`)."""

    def archived(self, hour: str) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of an hour's archive objects."""
        ...

    def exported(self, hour: str) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of the clients that an hour was exported for."""
        ...


class Replays(Protocol):
    """The replays and their progress."""

    def replays(self) -> Iterator[Replay]:
        """Yield the replays, newest first."""
        ...

    def plan(self, plan_id: str) -> Plan:
        """Return a plan."""
        ...

    def objects(self, replay_id: str) -> Iterator[ProcessedObject]:
        """Yield what the processor made of a replay's messages."""
        ...

    def skipped(self, replay_id: str) -> Iterator[SkippedEvent]:
        """Yield the events that the processor left out."""
        ...
