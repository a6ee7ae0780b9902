"""What everybody promises who keeps discarded batches: `millrace.discarded.ports`."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from millrace.commit import Checkpoint, SeqRange
from millrace.discarded.batch import Closing, State
from millrace.discarded.ports import Abandonments, DiscardedBatches
from millrace.ports import Checkpoints
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes
from millrace_testing.discards import discarded_batch

BIG_SEQ = 49581544954143914480256700934210366840104395343224897586  # 56 digits, from a real stream
GIVEN_UP = Closing(State.ABANDONED, ARRIVAL, "ada", "the producer sends it again")


class Discards(DiscardedBatches, Abandonments, Protocol):
    """All faces of them."""

    def open_since(self) -> list[datetime]:
        """Return the arrival of the first record of each open batch, the oldest first."""
        ...


class DiscardsContract:
    """Subclasses provide `discards` and `ledger`, which share a table."""

    def test_a_batch_is_noted_once_and_read_back_whole(self, discards: Discards) -> None:
        """A notice that comes twice changes nothing, not even one that was closed meanwhile."""
        batch = replace(discarded_batch(BIG_SEQ, BIG_SEQ + 9, payload_key="k"), error="Unhandled")
        assert discards.note(batch)
        assert not discards.note(batch)
        assert discards.find(SHARD, batch.range) == batch
        assert discards.find(SHARD, SeqRange(BIG_SEQ, BIG_SEQ)) is None
        assert discards.close_repaired(batch, ARRIVAL)
        assert not discards.note(batch)
        found = discards.find(SHARD, batch.range)
        assert found is not None
        assert found.closing == Closing(State.REPAIRED, ARRIVAL)

    def test_what_is_open_comes_by_age(self, discards: Discards) -> None:
        """The oldest first; what is closed is known, but not open."""
        young, closed = discarded_batch(200, 204), discarded_batch(300, 304)
        old = replace(discarded_batch(400, 404), first_arrival=ARRIVAL - timedelta(hours=1))
        for batch in (young, closed, old):
            discards.note(batch)
        assert discards.close_repaired(closed, ARRIVAL)
        assert list(discards.open()) == [old, young]
        assert discards.open_since() == [old.first_arrival, young.first_arrival]
        assert {each.batch_id for each in discards.known(SHARD.incarnation)} == {
            each.batch_id for each in (young, closed, old)
        }
        assert list(discards.known("another0")) == []

    def test_abandoning_moves_version_and_watermark(
        self, discards: Discards, ledger: Checkpoints
    ) -> None:
        """Whoever was about to commit under the old version loses; what is pending stays."""
        commit, _ = commit_of([event_bytes(1)])
        before = Checkpoint(1, 100, ("reference",), {"web": 7})
        assert ledger.commit(Checkpoint(), before, commit)
        batch = discarded_batch(101, 104)
        discards.note(batch)
        assert discards.abandon(batch, [SeqRange(101, 102), SeqRange(104, 104)], before, GIVEN_UP)
        assert ledger.read(SHARD) == Checkpoint(2, 104, ("reference",), {"web": 7})
        late, _ = commit_of([event_bytes(2)], first_seq=101)
        assert not ledger.commit(before, Checkpoint(2, 101, ()), late)
        assert sorted(discards.abandoned()) == [
            (str(SHARD), SeqRange(101, 102)),
            (str(SHARD), SeqRange(104, 104)),
        ]
        found = discards.find(SHARD, batch.range)
        assert found is not None
        assert found.closing == GIVEN_UP

    def test_abandoning_on_a_shard_without_commits(
        self, discards: Discards, ledger: Checkpoints
    ) -> None:
        """A shard whose first batch was given up gets a checkpoint; later versions count on."""
        batch = discarded_batch()
        discards.note(batch)
        assert discards.abandon(batch, [batch.range], Checkpoint(), GIVEN_UP)
        assert ledger.read(SHARD) == Checkpoint(1, 104, ())

    def test_nothing_is_abandoned_under_another_version(
        self, discards: Discards, ledger: Checkpoints
    ) -> None:
        """A commit in between, or a repair that closed the batch, leaves nothing written."""
        commit, _ = commit_of([event_bytes(1)])
        ledger.commit(Checkpoint(), Checkpoint(1, 100, ()), commit)
        batch = discarded_batch(101, 104)
        discards.note(batch)
        assert not discards.abandon(batch, [batch.range], Checkpoint(), GIVEN_UP)
        assert discards.close_repaired(batch, ARRIVAL)
        assert not discards.abandon(batch, [batch.range], Checkpoint(1, 100, ()), GIVEN_UP)
        assert discards.abandoned() == []
        assert ledger.read(SHARD) == Checkpoint(1, 100, ())

    def test_what_was_abandoned_is_never_repaired(self, discards: Discards) -> None:
        """A repair that comes later does not close the batch anew."""
        batch = discarded_batch()
        discards.note(batch)
        assert discards.abandon(batch, [batch.range], Checkpoint(), GIVEN_UP)
        assert not discards.close_repaired(batch, ARRIVAL)
        assert list(discards.open()) == []
