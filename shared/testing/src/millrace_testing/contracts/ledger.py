"""What every commit ledger promises: `millrace.ports.CommitReader` and `Checkpoints`."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import pytest

from millrace.commit import Checkpoint, CommittedLine, Owner, SeqRange, ShardKey, Stage
from millrace.errors import CommitMissing
from millrace.ports import Checkpoints, CommitFinder
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes


class Ledger(CommitFinder, Checkpoints, Protocol):
    """All faces of the ledger."""

    def overdue(self, since_before: datetime) -> Iterator[ShardKey]:
        """Yield each shard that has had references pending since before that time."""
        ...


OTHER_SHARD = ShardKey(SHARD.incarnation, "shardId-000000000001")
BIG_SEQ = 49581544954143914480256700934210366840104395343224897586  # 56 digits, from a real stream


class LedgerContract:
    """Subclasses provide the fixture `ledger`."""

    def test_a_new_shard_starts_from_nothing(self, ledger: Ledger) -> None:
        """A shard never seen has version 0, no committed record and nothing pending."""
        assert ledger.read(SHARD) == Checkpoint(0, -1, ())

    def test_a_commit_is_read_back_whole(self, ledger: Ledger) -> None:
        """Line table, counts and keys survive, with sequence numbers beyond 64 bits."""
        duplicate = CommittedLine(
            BIG_SEQ + 1,
            2,
            1_766_914_200_123,
            Owner(str(OTHER_SHARD), BIG_SEQ - 7, 1),
            conflict=True,
            behind_ms=7_200_001,
        )
        commit, _ = commit_of(
            [event_bytes(n) for n in range(3)], first_seq=BIG_SEQ, duplicates={1: duplicate}
        )
        after = Checkpoint(1, BIG_SEQ + 2, ("reference",), {"web": 1_766_914_200_123})
        assert ledger.commit(Checkpoint(), after, commit)
        assert ledger.load(SHARD, BIG_SEQ) == commit
        assert ledger.read(SHARD) == after

    def test_only_one_attempt_moves_a_version(self, ledger: Ledger) -> None:
        """Of two attempts from one version the second is refused and leaves no trace."""
        first, _ = commit_of([event_bytes(1)], first_seq=5)
        second, _ = commit_of([event_bytes(1), event_bytes(2)], first_seq=6)
        assert ledger.commit(Checkpoint(), Checkpoint(1, 5, ("a",)), first)
        assert not ledger.commit(Checkpoint(), Checkpoint(1, 7, ("b",)), second)
        assert ledger.read(SHARD) == Checkpoint(1, 5, ("a",))
        with pytest.raises(CommitMissing):
            ledger.load(SHARD, 6)

    def test_an_unanswered_commit_is_recognised(self, ledger: Ledger) -> None:
        """The same commit again (its answer was lost) counts as written; another's does not."""
        commit, _ = commit_of([event_bytes(1)])
        after = Checkpoint(1, 100, ("a",))
        assert ledger.commit(Checkpoint(), after, commit)
        assert ledger.commit(Checkpoint(), after, commit)
        rival = replace(commit, head=replace(commit.head, raw_key="raw/other"))
        assert not ledger.commit(Checkpoint(), after, rival)

    def test_pending_is_cleared_only_under_its_version(self, ledger: Ledger) -> None:
        """A zombie must not clear what a later attempt has yet to send."""
        commit, _ = commit_of([event_bytes(1)])
        seen = Checkpoint(1, 100, ("a",), {"web": 7})
        ledger.commit(Checkpoint(), seen, commit)
        assert ledger.clear_pending(SHARD, seen)
        assert ledger.read(SHARD) == Checkpoint(2, 100, (), {"web": 7})
        assert not ledger.clear_pending(SHARD, seen)

    def test_marks_are_set_once(self, ledger: Ledger) -> None:
        """A stage's mark keeps its first value, and all marks together finish the commit."""
        commit, _ = commit_of([event_bytes(1)])
        ledger.commit(Checkpoint(), Checkpoint(1, 100, ()), commit)
        for number, stage in enumerate([*Stage, *Stage]):
            ledger.mark(SHARD, 100, stage, {"at": ARRIVAL.isoformat(), "events": number})
        head = ledger.head(SHARD, 100)
        assert head.finished
        assert [head.marks[stage]["events"] for stage in Stage] == [0, 1, 2]

    def test_a_mark_needs_a_commit(self, ledger: Ledger) -> None:
        """Nothing is invented for a reference to a commit that is not there."""
        with pytest.raises(CommitMissing):
            ledger.head(SHARD, 404)

    def test_covered_ranges_are_those_of_commits(self, ledger: Ledger) -> None:
        """A range is covered by what commits hold, also by one that began before it."""
        before = Checkpoint()
        for number, first in enumerate((100, 110, 200)):
            commit, _ = commit_of([event_bytes(n) for n in range(5)], first_seq=first)
            after = Checkpoint(number + 1, first + 4, ())
            assert ledger.commit(before, after, commit)
            before = after
        assert ledger.covered(SHARD, SeqRange(103, 150)) == [SeqRange(100, 104), SeqRange(110, 114)]
        assert ledger.covered(SHARD, SeqRange(105, 109)) == []
        assert ledger.covered(OTHER_SHARD, SeqRange(0, 500)) == []

    def test_a_record_leads_to_its_commit(self, ledger: Ledger) -> None:
        """Any sequence number inside a commit's range finds it, also BIG ones; others find none."""
        before = Checkpoint()
        for number, first in enumerate((100, BIG_SEQ)):
            commit, _ = commit_of([event_bytes(n) for n in range(5)], first_seq=first)
            after = Checkpoint(number + 1, first + 4, ())
            assert ledger.commit(before, after, commit)
            before = after
        found = [ledger.covering(SHARD, seq) for seq in (100, 104, BIG_SEQ + 3)]
        assert [head.first_seq for head in found if head] == [100, 100, BIG_SEQ]
        for seq in (99, 105, BIG_SEQ + 5):
            assert ledger.covering(SHARD, seq) is None
        assert ledger.covering(OTHER_SHARD, 100) is None

    def test_what_waits_too_long_is_found(self, ledger: Ledger) -> None:
        """A shard is overdue while references are pending since before the limit, then no more."""
        commit, _ = commit_of([event_bytes(1)])
        seen = Checkpoint(1, 100, ("a",))
        ledger.commit(Checkpoint(), seen, commit)
        assert list(ledger.overdue(ARRIVAL)) == []
        assert list(ledger.overdue(ARRIVAL + timedelta(seconds=1))) == [SHARD]
        ledger.clear_pending(SHARD, seen)
        assert list(ledger.overdue(ARRIVAL + timedelta(seconds=1))) == []
