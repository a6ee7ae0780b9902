"""What watch needs of the outside."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from millrace.commit import Checkpoint, CommitHead, ShardKey
from millrace.discarded.batch import DiscardedBatch


class WatchedLedger(Protocol):
    """The commit ledger as watch sees it. May block and may raise RetryableError."""

    def overdue(self, since_before: datetime) -> Iterator[ShardKey]:
        """Yield each shard that has had references pending since before that time."""
        ...

    def read(self, shard: ShardKey) -> Checkpoint:
        """Return the shard's checkpoint, strongly consistent."""
        ...

    def clear_pending(self, shard: ShardKey, seen: Checkpoint) -> bool:
        """Empty `pending` if the version is still the one in `seen`; return whether it was."""
        ...

    def unfinished(self) -> Iterator[tuple[ShardKey, datetime]]:
        """Yield shard and commit time of each commit that some stage has yet to mark."""
        ...

    def latest(self, shard: ShardKey) -> CommitHead | None:
        """Return the commit of a shard that begins last, if there is one."""
        ...


class Discards(Protocol):
    """What is kept of discarded batches. May block and may raise RetryableError."""

    def note(self, batch: DiscardedBatch) -> bool:
        """Keep a batch as open if it is not known yet; return whether it was new."""
        ...

    def open_since(self) -> Sequence[datetime]:
        """Return the arrival of the first record of each open batch, the oldest first."""
        ...


class Stream(Protocol):
    """The stream as watch sees it."""

    def shard_ids(self) -> Sequence[str]:
        """Return every shard that can still be read, closed ones included."""
        ...
