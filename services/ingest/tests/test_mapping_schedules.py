"""Ingest under random schedules of the event source mapping: exactly once, whatever happens.

Crashes at any call, lost answers, throttles and zombies; bisect, retries, ages, discarded batches
and their repair; split and merged shards; crashes of the mapping itself.
"""

from collections import Counter
from dataclasses import replace

import pytest
from abandoned_tale import miscounts, play_abandoned
from mapping_tale import FAULTS, play, violations

from millrace.commit import Checkpoint, Commit, SeqRange, ShardKey
from millrace_testing.fakes import FakeLedger

pytestmark = pytest.mark.exhaustive

SCHEDULES = 1_000
FEW = range(300)  # a broken ledger is found out by far fewer


def test_a_thousand_schedules_are_exactly_once(figures):
    """Every part of every record has one place, every event one owner, every commit a reference."""
    faults: Counter[str] = Counter()
    given_up = 0
    for seed in range(SCHEDULES):
        told = play(seed)
        found = violations(told)
        story = "\n".join(told.run.audit.timeline.lines(last=60))
        assert not found, f"seed {seed}: {found[:5]}\n{told.run.description}\n{story}"
        faults += told.function.faults
        given_up += len(told.run.audit.deliveries)
    counts = ", ".join(f"{n:,} {fault}" for fault, n in sorted(faults.items()))
    figures(f"{SCHEDULES:,} schedules, {given_up:,} batches given up and repaired; {counts}")
    assert min(faults.values()) > 100
    assert given_up > 100


class BlindClear(FakeLedger):
    """Clears `pending` whatever the version."""

    def clear_pending(self, shard: ShardKey, seen: Checkpoint) -> bool:
        del seen
        return super().clear_pending(shard, self.read(shard))


class NoPending(FakeLedger):
    """Commits without noting the reference."""

    def commit(self, before: Checkpoint, after: Checkpoint, commit: Commit) -> bool:
        return super().commit(before, replace(after, pending=()), commit)


class WatermarkOnly(FakeLedger):
    """Takes everything at or below the watermark for committed."""

    def covered(self, shard: ShardKey, within: SeqRange) -> list[SeqRange]:
        del within
        return [SeqRange(0, self.read(shard).committed_seq)]


@pytest.mark.parametrize(
    ("ledger", "faults", "problem"),
    [
        (BlindClear, ("crash before", "zombie"), "never sent"),
        (NoPending, FAULTS, "never sent"),
        (WatermarkOnly, FAULTS, "lost"),
    ],
)
def test_a_broken_ledger_is_found_out(ledger, faults, problem):
    """The schedules reach the moments for which the protocol is as it is."""
    found = (each for seed in FEW for each in violations(play(seed, ledger, faults)))
    assert any(problem in each for each in found)


def test_what_is_given_up_is_missing_until_it_is_repaired():
    """Without the repair the discarded records are the only ones that are missing."""
    seed = next(seed for seed in FEW if play(seed).run.audit.deliveries)
    told = play(seed, repairs=False)
    given_up = {r.sequence for each in told.run.audit.deliveries for r in each.records}
    lost = {each.split("|")[1] for each in violations(told) if each.startswith("lost")}
    assert lost
    assert lost <= given_up


def test_what_is_given_up_for_good_counts_once_when_it_is_sent_again(figures):
    """Whatever zombies of the batch still do: the model's rule of abandoned ranges holds."""
    given_up = 0
    for seed in FEW:
        told = play_abandoned(seed)
        found = miscounts(told)
        assert not found, f"seed {seed}: {found[:5]}\n{told.run.description}"
        given_up += len(told.stores.discards.gone)
    figures(f"{len(FEW)} schedules, {given_up} ranges given up and sent again")
    assert given_up > 50


def test_without_taking_over_a_resend_is_a_duplicate_of_nothing():
    """The owner that was lost would keep every resend out."""
    found = (each for seed in FEW for each in miscounts(play_abandoned(seed, takes_over=False)))
    assert any("lost" in each for each in found)
