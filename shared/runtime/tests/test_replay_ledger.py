"""The replays table and the fake keep the same promises."""

import zlib
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.aws.replays import DynamoReplays
from millrace.errors import RetryableError
from millrace.replay.errors import PlanBroken
from millrace.replay.progress import SkippedEvent
from millrace_testing.contracts.replays import ReplaysContract, processed
from millrace_testing.replays import REPLAY_ID, FakeReplays, audit_entry, replay_record
from millrace_testing.tables import REPLAYS, create_table


@pytest.fixture
def dynamo_replays(aws) -> DynamoReplays:
    client = boto3.client("dynamodb")
    create_table(client, "replays", REPLAYS)
    return DynamoReplays(client, "replays")


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


class Conflicting:
    """A client whose transactions meet others so many times."""

    def __init__(self, inner: Any, times: int, *codes: str) -> None:
        self._inner, self.left = inner, times
        self._reasons = [{"Code": code} for code in codes]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def transact_write_items(self, **request: Any) -> Any:
        if not self.left:
            return self._inner.transact_write_items(**request)
        self.left -= 1
        error = {"Error": {"Code": "TransactionCanceledException"}}
        raise ClientError(error | {"CancellationReasons": self._reasons}, "TransactWriteItems")


@pytest.mark.parametrize("times", [1, 5])
def test_a_conflict_is_no_lost_condition(dynamo_replays, times):
    """An action that meets a checkpoint is tried again, and neither is refused."""
    before = replay_record()
    dynamo_replays.start(before, audit_entry())
    client = Conflicting(boto3.client("dynamodb"), times, "TransactionConflict", "None")
    waits: list[float] = []
    assert DynamoReplays(client, "replays", waits.append).advance(before, replace(before, step=1))
    assert len(waits) == times
    assert dynamo_replays.replay(REPLAY_ID).step == 1


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError"])
def test_a_transaction_that_cannot_be_had_now_may_pass_later(dynamo_replays, code):
    """It is the caller's to try again; nothing is written."""
    before = replay_record()
    dynamo_replays.start(before, audit_entry())
    client = Conflicting(boto3.client("dynamodb"), 99, code)
    with pytest.raises(RetryableError):
        DynamoReplays(client, "replays", lambda _: None).advance(before, replace(before, step=1))
    assert dynamo_replays.replay(REPLAY_ID) == before


def test_pressure_is_remembered(dynamo_replays):
    """The last time counts; a replay that was never throttled has none."""
    assert dynamo_replays.pressure_ms(REPLAY_ID) is None
    for at_ms in (1_000, 2_000):
        dynamo_replays.note_pressure(REPLAY_ID, at_ms)
    assert dynamo_replays.pressure_ms(REPLAY_ID) == 2_000


@pytest.mark.parametrize("body", [b"nonsense", zlib.compress(b"{}"), zlib.compress(b"no json")])
def test_a_plan_that_cannot_be_read_is_named(dynamo_replays, body):
    """Whatever became of its bytes."""
    item = to_attributes({"PK": "PLAN#p", "SK": "PLAN", "body": body})
    boto3.client("dynamodb").put_item(TableName="replays", Item=item)
    with pytest.raises(PlanBroken, match=r"plan p cannot be read.*make a new plan"):
        dynamo_replays.plan("p")
