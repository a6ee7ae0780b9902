from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from millrace.commit import CommitCounts, CommitHead, ShardKey, Stage
from millrace_cli.settle import Goal, settle
from millrace_cli.status import QueueDepth, ShardStatus, StageCounts, Status

NOW = datetime(2025, 12, 28, 9, tzinfo=UTC)
DONE = {
    Stage.ENRICHED: {"events": 7},
    Stage.AGGREGATED: {"events": 7, "parts": 1},
    Stage.ARCHIVED: {"events": 7, "objects": 2},
}


def head(marks: dict[Stage, dict[str, Any]], raw_key: str | None = "raw/x") -> CommitHead:
    return CommitHead(
        shard=ShardKey("inc", "shardId-0"),
        first_seq=1,
        last_seq=10,
        counts=CommitCounts(accepted=7, duplicates=2, conflicts=1, quarantined=1),
        first_arrival=NOW,
        last_arrival=NOW,
        committed_at=NOW,
        correlation_id="c",
        raw_key=raw_key,
        raw_bytes=1,
        quarantine_key=None,
        marks=marks,
    )


def shard(counts: StageCounts, **fields: Any) -> ShardStatus:
    whole = {"committed_seq": 10, "pending_references": 0, "waiting": False} | fields
    return ShardStatus(shard_id="shardId-0", counts=counts, **whole)


COMPLETE = StageCounts().plus(head(DONE))


def test_counts_are_summed_over_commits() -> None:
    """Ingest's counts come from the commit, each stage's from its own mark."""
    counts = COMPLETE.plus(head({Stage.ENRICHED: {"events": 7}}))
    assert counts == StageCounts(
        received=20, accepted=14, duplicates=4, conflicts=2, quarantined=2, enriched=14,
        aggregated=7, archived=7, archive_objects=2, commits=2, unfinished_commits=1,
    )  # fmt: skip
    assert counts - COMPLETE == StageCounts().plus(head({Stage.ENRICHED: {"events": 7}}))


def test_a_finished_pipeline_has_no_gaps() -> None:
    """Duplicates and quarantined records are accounted for: they are where they belong."""
    status = Status((shard(COMPLETE),), (QueueDepth("enrich", 0, 0),))
    assert status.gaps == ()


@pytest.mark.parametrize(
    ("status", "named"),
    [
        (Status((shard(COMPLETE, waiting=True),)), "not yet received"),
        (Status((shard(COMPLETE, pending_references=2),)), "references pending"),
        (Status((shard(COMPLETE),), dlqs=(QueueDepth("archive", 3, 0),)), "archive (3)"),
        (Status((shard(StageCounts().plus(head({}))),)), "events not yet archived"),
        (Status((shard(COMPLETE, blocked="5 attempts"),)), "shardId-0: 5 attempts"),
        (
            Status((shard(replace(COMPLETE, archived=6)),)),
            "1 events not yet archived",
        ),
    ],
)
def test_each_gap_is_named(status: Status, named: str) -> None:
    """What is missing is said with how much of it and where to look."""
    assert any(named in str(gap) for gap in status.gaps)
    assert status.as_dict()["unaccounted"]


def test_messages_on_their_way_are_no_gap() -> None:
    """A queued message alone is work in progress."""
    assert Status((shard(COMPLETE),), (QueueDepth("archive", 0, 1),)).gaps == ()


def test_gaps_name_the_folder_of_the_logs() -> None:
    """On the local engine each gap whose cause a log tells says where the logs are."""
    status = Status(
        (shard(StageCounts().plus(head({})), waiting=True), shard(COMPLETE, blocked="why")),
        dlqs=(QueueDepth("enrich", 1, 0),),
        logs=Path("state/logs"),
    )
    silent = {"commits unfinished", "references pending", "messages in dead-letter queues"}
    assert all(str(Path("state/logs")) in g.hint for g in status.gaps if g.what not in silent)
    assert len(status.gaps) == 7


class Scripted:
    """Plays readings one by one, the last one for ever, with a clock that each wait moves on."""

    def __init__(self, *readings: Status) -> None:
        self._readings = iter(readings)
        self._last = readings[-1]
        self.now = 0.0
        self.reads = 0

    def read(self) -> Status:
        self.reads += 1
        return next(self._readings, self._last)

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def settle(self, goal: Goal | int, stall_s: float = 10) -> Status:
        goal = goal if isinstance(goal, Goal) else Goal(goal)
        return settle(self.read, goal, stall_s, clock=lambda: self.now, wait=self.wait)


def test_settle_waits_for_everything_that_was_sent() -> None:
    """Nothing received yet looks settled too: the number sent decides."""
    half = Status((shard(StageCounts().plus(head({}))),), (QueueDepth("enrich", 1, 0),))
    done = Status((shard(COMPLETE),), (QueueDepth("enrich", 0, 0),))
    assert Scripted(Status(), Status(), half, done).settle(10) is done


def test_settle_gives_up_only_when_nothing_moves() -> None:
    """Slow progress goes on past the limit; standstill ends at it."""

    def slow() -> Iterator[Status]:
        for number in range(30):
            yield Status((shard(replace(COMPLETE, received=number)),))

    script = Scripted(*slow())
    assert script.settle(1000, stall_s=2).totals.received == 29
    assert script.now == pytest.approx(30 * 0.5 + 2, abs=1)


def test_settle_does_not_wait_for_a_blocked_shard() -> None:
    """A blocked shard with nothing else on its way will not move by waiting."""
    script = Scripted(Status((shard(StageCounts(), blocked="why", waiting=True),)))
    assert script.settle(10).gaps
    assert script.reads == 1


def test_settle_does_not_wait_for_dead_letters() -> None:
    """What lies in a dead-letter queue has ended, and its commit stays unfinished."""
    dead = Status(
        (shard(StageCounts().plus(head({}))),),
        (QueueDepth("enrich", 0, 0),),
        (QueueDepth("enrich", 1, 0),),
    )
    script = Scripted(dead)
    assert script.settle(10) is dead
    assert script.reads == 1


OPEN = StageCounts().plus(head({}))


def reading(counts: StageCounts, dead: int = 0, **fields: Any) -> Status:
    return Status((shard(counts, **fields),), (QueueDepth("enrich", 0, 0),),
                  (QueueDepth("enrich", dead, 0),))  # fmt: skip


def test_settle_takes_old_dead_letters_for_no_excuse() -> None:
    """What lay there before the run does not let it end before its own commits are done."""
    before = reading(OPEN, dead=1, unfinished={1: OPEN})
    working = reading(OPEN + OPEN, dead=1, unfinished={1: OPEN, 20: OPEN})
    done = reading(OPEN + COMPLETE, dead=1, unfinished={1: OPEN})
    assert Scripted(working, working, done).settle(Goal(10, before)) is done


def test_an_old_commit_that_ends_excuses_no_new_one() -> None:
    """Commits are told apart by what they are, not by how many there are."""
    before = reading(OPEN, unfinished={1: OPEN})
    working = reading(COMPLETE + OPEN, unfinished={20: OPEN})
    done = reading(COMPLETE + COMPLETE)
    assert Scripted(working, done).settle(Goal(10, before)) is done


def test_settle_ends_with_its_own_dead_letters() -> None:
    """A commit of the run whose message died beside an old one has ended too."""
    before = reading(OPEN, dead=1, unfinished={1: OPEN})
    dead = reading(OPEN + OPEN, dead=2, unfinished={1: OPEN, 20: OPEN})
    script = Scripted(dead)
    assert script.settle(Goal(10, before)) is dead
    assert script.reads == 1


def test_settle_waits_for_its_own_records_beside_another_run() -> None:
    """Another run's records count as received; the sequence numbers tell whose they were."""
    others = reading(COMPLETE, committed_seq=9)
    own = reading(COMPLETE + COMPLETE, committed_seq=10)
    goal = Goal(10, last_placed={"shardId-0": 10})
    assert Scripted(others, others, own).settle(goal) is own
    unknown = Goal(10, last_placed={"shardId-1": 1})
    assert Scripted(own).settle(unknown, stall_s=2) is own  # by giving up


def test_an_old_blocked_shard_ends_no_run_on_another() -> None:
    """Records on a shard that is read are waited for; those behind a blocked one are not."""
    stuck = ShardStatus("shardId-1", 5, 0, True, StageCounts(), blocked="why")

    def both(seq: int) -> Status:
        return Status((shard(COMPLETE, committed_seq=seq), stuck))

    early, late = both(9), both(10)
    goal = Goal(20, last_placed={"shardId-0": 10, "shardId-1": 8})
    assert Scripted(early, late).settle(goal) is late
