"""What is kept of discarded batches, in their own words. May block, raise RetryableError."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from millrace.commit import Checkpoint, SeqRange, ShardKey
from millrace.discarded.batch import Closing, DiscardedBatch


class DiscardedBatches(Protocol):
    """The ledger's rows of discarded batches: one each, kept for good."""

    def note(self, batch: DiscardedBatch) -> bool:
        """Keep a batch as open if it is not known yet; return whether it was new."""
        ...

    def find(self, shard: ShardKey, within: SeqRange) -> DiscardedBatch | None:
        """Return the batch of exactly that range, strongly consistent."""
        ...

    def open(self) -> Iterator[DiscardedBatch]:
        """Yield what is still open, by the arrival of its first record."""
        ...

    def known(self, incarnation: str) -> Iterator[DiscardedBatch]:
        """Yield every batch of one incarnation of the stream, open or not."""
        ...

    def close_repaired(self, batch: DiscardedBatch, at: datetime) -> bool:
        """Close a batch as repaired if it is open; return whether it is closed so now."""
        ...

    def abandon(
        self,
        batch: DiscardedBatch,
        holes: Sequence[SeqRange],
        before: Checkpoint,
        closing: Closing,
    ) -> bool:
        """Write `holes` as gone for good, close the batch and move the checkpoint's version.

        One transaction, and only if the version is still `before`'s: whoever was about to commit
        any of the records loses, and finds out. The watermark is the end of the range at least.

        Returns: False if the version moved, or the batch is not open.
        """
        ...


class Abandonments(Protocol):
    """The ranges that are gone for good."""

    def abandoned(self) -> Sequence[tuple[str, SeqRange]]:
        """Return shard (as an owner names it) and range of each, strongly consistent."""
        ...
