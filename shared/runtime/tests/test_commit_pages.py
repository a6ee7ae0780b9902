"""Commits by arrival, on moto and in memory, under one contract; and what reading them takes."""

from datetime import timedelta
from typing import Any

import boto3
import pytest

from millrace.aws.arrivals import KinesisShards
from millrace.aws.commit_pages import DynamoCommitPages
from millrace.aws.ledger import DynamoLedger
from millrace.aws.metering import meter_objects, meter_tables
from millrace.read_cost import Bound, Budget, ReadCost
from millrace_testing.builders import ARRIVAL, SHARD
from millrace_testing.contracts.commit_pages import CommitPagesContract
from millrace_testing.fakes import FakeLedger, FixedClock
from millrace_testing.investigation import FakeCommitPages
from millrace_testing.tables import COMMITS, create_table


@pytest.fixture
def dynamodb(aws) -> Any:
    client = boto3.client("dynamodb")
    create_table(client, "commits", COMMITS)
    return client


def shards_of(count: int) -> KinesisShards:
    kinesis = boto3.client("kinesis")
    kinesis.create_stream(StreamName="events", ShardCount=count)
    arn = kinesis.describe_stream_summary(StreamName="events")["StreamDescriptionSummary"][
        "StreamARN"
    ]
    return KinesisShards(kinesis, arn, SHARD.incarnation)


class TestFakeCommitPages(CommitPagesContract):
    """The fake."""

    @pytest.fixture
    def ledger(self) -> FakeLedger:
        return FakeLedger()

    @pytest.fixture
    def commits(self, ledger) -> FakeCommitPages:
        return FakeCommitPages(ledger)


class TestDynamoCommitPages(CommitPagesContract):
    """The adapter, on moto."""

    @pytest.fixture
    def ledger(self, dynamodb) -> DynamoLedger:
        return DynamoLedger(dynamodb, "commits")

    @pytest.fixture
    def commits(self, dynamodb) -> DynamoCommitPages:
        return DynamoCommitPages(dynamodb, "commits", shards_of(1))

    def test_the_beginning_is_found_in_a_few_reads(self, dynamodb, commits, stored) -> None:
        """Halving looks at few rows, though the numbers have 186 bits."""
        cost = ReadCost()
        meter_tables(dynamodb, cost)
        commits.first_arrived(SHARD, ARRIVAL + timedelta(seconds=61))
        assert 3 <= cost.queries <= 2 + 2 * 20
        assert cost.units > 0


def test_forgotten_shards_are_among_the_listed(aws):
    """After a split and the stream's retention the parent is gone from the list, not from history.

    https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html
    """
    listed = [shard.shard_id for shard in shards_of(3).all()]
    assert listed == [f"shardId-{number:012d}" for number in range(3)]

    class OnlyTheChildren:
        def get_paginator(self, _: str) -> "OnlyTheChildren":
            return self

        def paginate(self, **_: str) -> list[Any]:
            return [{"Shards": [{"ShardId": f"shardId-{n:012d}"} for n in (3, 4)]}]

    children: Any = OnlyTheChildren()
    every = KinesisShards(children, "arn", "i").all()
    assert [shard.shard_id for shard in every] == [f"shardId-{n:012d}" for n in range(5)]


def test_a_meter_counts_what_every_adapter_reads(dynamodb):
    """Queries, their units and objects, whoever asks with the client."""
    s3, cost = boto3.client("s3"), ReadCost()
    s3.create_bucket(Bucket="data")
    s3.put_object(Bucket="data", Key="k", Body=b"x")
    meter_tables(dynamodb, cost)
    meter_objects(s3, cost)
    DynamoLedger(dynamodb, "commits").latest(SHARD)
    DynamoLedger(dynamodb, "commits").read(SHARD)
    s3.get_object(Bucket="data", Key="k")
    assert (cost.queries, cost.objects, cost.pages) == (1, 1, 2)


def test_a_budget_ends_by_pages_or_by_time():
    """Whichever comes first is named; a budget counts from where the cost stood."""
    clock, cost = FixedClock(ARRIVAL), ReadCost(queries=7)
    budget = Budget(cost, clock, max_pages=2, deadline=ARRIVAL + timedelta(seconds=5))
    assert budget.spent is None
    cost.objects += 1
    assert budget.spent is None
    clock.advance(timedelta(seconds=5))
    assert budget.spent is Bound.TIME
    cost.queries += 1
    assert budget.spent is Bound.PAGES
    with pytest.raises(ValueError, match="one page at least"):
        Budget(cost, clock, max_pages=0)
