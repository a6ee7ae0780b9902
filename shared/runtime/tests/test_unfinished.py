"""What is unfinished, read from the ledger's sparse index, on moto."""

from dataclasses import replace
from datetime import timedelta

import boto3
import pytest

from millrace.aws.arrivals import KinesisShards
from millrace.aws.ledger import DynamoLedger
from millrace.aws.unfinished import DynamoUnfinished
from millrace.commit import Checkpoint, Stage
from millrace.investigate.unfinished import MOST_COMMITS, LastOfShard, unfinished_report
from millrace.read_cost import Bound, Budget, ReadCost
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes
from millrace_testing.fakes import FixedClock
from millrace_testing.investigation import unbounded
from millrace_testing.tables import COMMITS, create_table

LATER = FixedClock(ARRIVAL + timedelta(minutes=5))


@pytest.fixture
def ledger(aws):
    """A commits table with two commits of one shard; and what is unfinished in it."""
    client = boto3.client("dynamodb")
    create_table(client, "commits", COMMITS)
    ledger = DynamoLedger(client, "commits")
    for version, first_seq in enumerate((100, 200)):
        commit, _ = commit_of([event_bytes(n) for n in range(3)], first_seq=first_seq)
        after = Checkpoint(version + 1, first_seq + 2, ("reference",) if version else ())
        assert ledger.commit(ledger.read(SHARD), after, commit)
    return ledger, client


def shards():
    kinesis = boto3.client("kinesis")
    kinesis.create_stream(StreamName="events", ShardCount=1)
    summary = kinesis.describe_stream_summary(StreamName="events")["StreamDescriptionSummary"]
    return KinesisShards(kinesis, summary["StreamARN"], SHARD.incarnation)


def test_what_stages_have_yet_to_do_is_found_and_the_rest_is_not_read(ledger):
    """A commit leaves the answer with its last mark; the reference that waits is counted."""
    ledger, client = ledger
    left = DynamoUnfinished(client, "commits", shards())
    for stage in Stage:
        ledger.mark(SHARD, 100, stage, {"events": 3})
    ledger.mark(SHARD, 200, Stage.ENRICHED, {"events": 3})
    report = unfinished_report(left, LATER, unbounded()).as_json()
    assert report["unfinished_commits"] == {"count": 1, "more": False, "oldest_age_s": 300.0}
    assert report["waiting_events"] == {"enriched": 0, "aggregated": 3, "archived": 3}
    assert (report["pending_references"], report["settled"]) == (1, False)
    assert [each["last_commit_age_s"] for each in report["shards"]] == [300.0]
    assert len(left.commits(1)) == 1


class ManyLeft:
    """More commits and shards than one answer tells."""

    def __init__(self) -> None:
        self.head = commit_of([event_bytes(1)])[0].head

    def commits(self, most):
        return [replace(self.head, first_seq=n) for n in range(most)]

    def discarded_since(self):
        return []

    def shards(self):
        return [LastOfShard(SHARD, self.head, 0)] * 3


def test_an_answer_is_bounded_and_says_so():
    """Commits by their number, shards by the budget; one shard is looked at in any case."""
    over = Budget(ReadCost(), LATER, deadline=ARRIVAL)
    report = unfinished_report(ManyLeft(), LATER, over).as_json()
    assert (report["unfinished_commits"]["count"], report["unfinished_commits"]["more"]) == (
        MOST_COMMITS, True,
    )  # fmt: skip
    assert (len(report["shards"]), report["ended_by"], report["complete"]) == (1, Bound.TIME, False)
