"""Discarded batches in memory, and one to begin with."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from millrace.commit import Checkpoint, SeqRange, ShardKey
from millrace.discarded.batch import Closing, DiscardedBatch, State
from millrace_testing.builders import ARRIVAL, SHARD
from millrace_testing.fakes import FakeLedger


def discarded_batch(
    first: int = 100, last: int = 104, shard: ShardKey = SHARD, payload_key: str | None = None
) -> DiscardedBatch:
    """Return an open batch with one record for each sequence number."""
    return DiscardedBatch(
        shard=shard,
        range=SeqRange(first, last),
        records=last - first + 1,
        first_arrival=ARRIVAL,
        last_arrival=ARRIVAL + timedelta(seconds=2),
        discarded_at=ARRIVAL + timedelta(minutes=5),
        condition="RetryAttemptsExhausted",
        attempts=3,
        payload_key=payload_key,
    )


class FakeDiscards:
    """`millrace.discarded.ports.DiscardedBatches` and `Abandonments` beside a `FakeLedger`."""

    def __init__(self, ledger: FakeLedger) -> None:
        self.ledger = ledger
        self.batches: dict[tuple[ShardKey, SeqRange], DiscardedBatch] = {}
        self.gone: list[tuple[str, SeqRange]] = []

    def note(self, batch: DiscardedBatch) -> bool:
        """Keep a batch as open if it is not known yet; return whether it was new."""
        place = batch.shard, batch.range
        if place in self.batches:
            return False
        self.batches[place] = batch
        return True

    def find(self, shard: ShardKey, within: SeqRange) -> DiscardedBatch | None:
        """Return the batch of exactly that range."""
        return self.batches.get((shard, within))

    def open(self) -> Iterator[DiscardedBatch]:
        """Yield what is still open, by the arrival of its first record."""
        still = [each for each in self.batches.values() if each.state is State.OPEN]
        yield from sorted(still, key=lambda each: (each.first_arrival, each.range))

    def open_since(self) -> list[datetime]:
        """Return the arrival of the first record of each open batch, the oldest first."""
        return [each.first_arrival for each in self.open()]

    def known(self, incarnation: str) -> Iterator[DiscardedBatch]:
        """Yield every batch of one incarnation of the stream, open or not."""
        for batch in self.batches.values():
            if batch.shard.incarnation == incarnation:
                yield batch

    def close_repaired(self, batch: DiscardedBatch, at: datetime) -> bool:
        """Close a batch as repaired if it is open; return whether it is closed so now."""
        there = self.find(batch.shard, batch.range)
        if there is not None and there.state is State.OPEN:
            there = self._closed(there, Closing(State.REPAIRED, at))
        return there is not None and there.state is State.REPAIRED

    def abandon(
        self,
        batch: DiscardedBatch,
        holes: Sequence[SeqRange],
        before: Checkpoint,
        closing: Closing,
    ) -> bool:
        """Write `holes` as gone for good, close the batch and move the checkpoint's version."""
        there = self.find(batch.shard, batch.range)
        now = self.ledger.read(batch.shard)
        if there is None or there.state is not State.OPEN or now.version != before.version:
            return False
        seq = max(now.committed_seq, batch.range.last)
        self.ledger.checkpoints[batch.shard] = replace(
            now, version=now.version + 1, committed_seq=seq
        )
        self.gone += [(str(batch.shard), hole) for hole in holes]
        self._closed(there, closing)
        return True

    def abandoned(self) -> Sequence[tuple[str, SeqRange]]:
        """Return shard and range of each."""
        return list(self.gone)

    def _closed(self, batch: DiscardedBatch, closing: Closing) -> DiscardedBatch:
        closed = replace(batch, closing=closing)
        self.batches[batch.shard, batch.range] = closed
        return closed
