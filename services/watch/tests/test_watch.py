"""One look at the pipeline, on fakes."""

from datetime import timedelta

import pytest
from aws_lambda_powertools import Logger

from millrace.commit import Checkpoint, ShardKey, Stage
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes
from millrace_testing.discards import FakeDiscards
from millrace_testing.fakes import FakeLedger, FakeQueue, FixedClock
from watch.handler import report
from watch.service import Watch

CLOSED = ShardKey(SHARD.incarnation, "shardId-000000000007")


class FakeStream:
    """`watch.ports.Stream` with two shards."""

    def shard_ids(self) -> list[str]:
        return [SHARD.shard_id, CLOSED.shard_id]


@pytest.fixture
def ledger() -> FakeLedger:
    """A ledger whose one commit left its reference behind."""
    ledger = FakeLedger()
    commit, _ = commit_of([event_bytes(1)])
    ledger.commit(Checkpoint(), Checkpoint(1, 100, ("reference",)), commit)
    return ledger


@pytest.fixture
def queue() -> FakeQueue:
    return FakeQueue()


def watch_at(age: timedelta, ledger: FakeLedger, queue: FakeQueue) -> Watch:
    return Watch(
        ledger=ledger,
        discards=FakeDiscards(ledger),
        references=queue,
        stream=FakeStream(),
        clock=FixedClock(ARRIVAL + age),
        overdue_after=timedelta(minutes=5),
        incarnation=SHARD.incarnation,
        logger=Logger(service="watch-test"),
    )


def test_what_is_overdue_is_sent_and_cleared(ledger, queue):
    """A reference without a next batch leaves after five minutes, once."""
    assert watch_at(timedelta(minutes=6), ledger, queue).look().references_sent == 1
    assert watch_at(timedelta(minutes=7), ledger, queue).look().references_sent == 0
    assert queue.sent == ["reference"]
    assert ledger.read(SHARD).pending == ()


def test_what_is_young_is_left_to_ingest(ledger, queue):
    """A batch in progress sends its own reference."""
    assert watch_at(timedelta(minutes=4), ledger, queue).look().references_sent == 0
    assert queue.sent == []


def test_the_residue_is_what_no_stage_finished(ledger, queue):
    """Unfinished commits and their age are reported until the last stage marks them."""
    before = watch_at(timedelta(minutes=2), ledger, queue).look()
    assert (before.unfinished, before.oldest_unfinished_age_s) == (1, 120)
    for stage in Stage:
        ledger.mark(SHARD, 100, stage, {"events": 1})
    after = watch_at(timedelta(minutes=2), ledger, queue).look()
    assert (after.unfinished, after.oldest_unfinished_age_s) == (0, 0)


def test_freshness_by_shard(ledger, queue):
    """Each shard says when it last committed, and one that never did says so."""
    seen = report(watch_at(timedelta(minutes=2), ledger, queue).look())
    assert seen["last_commit_age_s_by_shard"] == {SHARD.shard_id: 120, CLOSED.shard_id: None}
