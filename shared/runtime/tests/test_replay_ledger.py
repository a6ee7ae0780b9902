"""The replays table and the fake keep the same promises."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from millrace.aws.ledger_items import from_attributes
from millrace.aws.replays import DynamoReplays
from millrace.replay.progress import SkippedEvent
from millrace_testing.contracts.replays import ReplaysContract, processed
from millrace_testing.replays import REPLAY_ID, FakeReplays, audit_entry, replay_record
from millrace_testing.tables import REPLAYS, create_table


@pytest.fixture
def dynamo_replays(monkeypatch) -> Iterator[DynamoReplays]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("dynamodb")
        create_table(client, "replays", REPLAYS)
        yield DynamoReplays(client, "replays")


class TestFakeReplays(ReplaysContract):
    """The fake."""

    @pytest.fixture
    def replays(self) -> FakeReplays:
        return FakeReplays()


class TestDynamoReplays(ReplaysContract):
    """The adapter, on moto."""

    @pytest.fixture
    def replays(self, dynamo_replays) -> DynamoReplays:
        return dynamo_replays


def test_the_items_of_a_replay_stand_side_by_side(dynamo_replays):
    """One partition holds where it stands, its audit, its objects and what was left out."""
    dynamo_replays.start(replay_record(), audit_entry())
    dynamo_replays.list_object(REPLAY_ID, processed("a", "xy"))
    dynamo_replays.skip(REPLAY_ID, SkippedEvent("raw/x@0:1", "e", "other_event", "d" * 9_000))
    items = map(from_attributes, boto3.client("dynamodb").scan(TableName="replays")["Items"])
    mine = {each["SK"]: each for each in items if each["PK"] == f"REPLAY#{REPLAY_ID}"}
    names = sorted(key.partition("#")[0] for key in mine)
    assert names == ["AUDIT", "OBJECT", "REPLAY", "SKIPPED"]
    assert len(bytes(mine["OBJECT#a"]["places"])) == 16
    (skipped,) = dynamo_replays.skipped(REPLAY_ID)
    assert len(skipped.detail) == 500
