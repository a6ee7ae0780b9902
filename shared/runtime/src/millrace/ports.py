"""What services need of the outside, in their own words; `millrace.aws` and fakes provide it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Protocol

from millrace.commit import Checkpoint, Commit, CommitHead, SeqRange, ShardKey, Stage
from millrace.index import IndexPage


class Objects(Protocol):
    """Immutable objects by key. Methods may block, raise RetryableError or ConfigError."""

    def put_new(
        self,
        key: str,
        body: bytes,
        *,
        metadata: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> bool:
        """Write `body` under `key` if nothing is there; return whether this call wrote it."""
        ...

    def get(self, key: str) -> bytes:
        """Return the object's bytes.

        Raises:
            ObjectMissing: there is no such object.
        """
        ...

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`, fewer where the object ends.

        Raises:
            ObjectMissing: there is no such object.
        """
        ...


class MessageQueue(Protocol):
    """A queue to send to. May block and may raise RetryableError or ConfigError."""

    def send(self, body: str) -> None:
        """Send one message; when this returns, the queue has it (at least once)."""
        ...


class CommitLoader(Protocol):
    """The ledger as plans see it; reads are strongly consistent."""

    def load(self, shard: ShardKey, first_seq: int) -> Commit:
        """Return a commit with its line table.

        Raises:
            CommitMissing: the ledger holds no such commit.
        """
        ...


class CommitReader(CommitLoader, Protocol):
    """The ledger as stages after ingest see it; reads are strongly consistent."""

    def head(self, shard: ShardKey, first_seq: int) -> CommitHead:
        """Return the small half of a commit.

        Raises:
            CommitMissing: the ledger holds no such commit.
        """
        ...

    def mark(
        self, shard: ShardKey, first_seq: int, stage: Stage, value: Mapping[str, object]
    ) -> None:
        """SET the stage's mark (again, if it is there) and leave the unfinished index when done."""
        ...


class Checkpoints(Protocol):
    """The ledger as ingest sees it: one shard's checkpoint and the commits under its version."""

    def read(self, shard: ShardKey) -> Checkpoint:
        """Return the shard's checkpoint, strongly consistent; a new shard has the default one."""
        ...

    def commit(self, before: Checkpoint, after: Checkpoint, commit: Commit) -> bool:
        """Write the commit and `after` in one transaction if the version is still `before`'s.

        Returns: False if another attempt moved the version first and this commit is not there;
            True if the commit is in the ledger, by this call or by an unanswered earlier one.
        """
        ...

    def covered(self, shard: ShardKey, within: SeqRange) -> Sequence[SeqRange]:
        """Return the ranges of all commits that touch `within`, in order; they never overlap."""
        ...

    def clear_pending(self, shard: ShardKey, seen: Checkpoint) -> bool:
        """Empty `pending` if the version is still the one in `seen`; return whether it was."""
        ...


class CommitFinder(CommitReader, Protocol):
    """The ledger as one who follows a single event sees it."""

    def covering(self, shard: ShardKey, seq: int) -> CommitHead | None:
        """Return the one commit whose range holds the sequence number, if there is one."""
        ...


class IndexWriter(Protocol):
    """The event index as enrich sees it. May block, raise RetryableError or ConfigError."""

    def settled_buckets(self, days: Iterable[date]) -> Mapping[date, int]:
        """Return the bucket count of each day, stored for good by whoever came first."""
        ...

    def write(self, pages: Sequence[IndexPage]) -> None:
        """Write the pages, over equal earlier ones; when this returns, all are stored."""
        ...


class IndexPages(Protocol):
    """The event index as readers see it. May block, raise RetryableError or ConfigError."""

    def bucket_counts(self, days: Iterable[date]) -> Mapping[date, int]:
        """Return the bucket count of each day that has one; without one a day has no page."""
        ...

    def bodies(self, day: date, bucket: int) -> Iterable[bytes]:
        """Return the bodies of all pages of one partition, in order of arrival, as they come."""
        ...
