"""The adapters and the fakes keep the same promises."""

from dataclasses import replace
from datetime import timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from millrace.aws.discarded import DynamoDiscards
from millrace.aws.errors import translated
from millrace.aws.ledger import DynamoLedger
from millrace.aws.ledger_items import head_key
from millrace.aws.objects import S3Objects
from millrace.aws.queue import SqsQueue
from millrace.commit import Checkpoint, Stage
from millrace.errors import ConfigError, RetryableError
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes
from millrace_testing.contracts.discards import DiscardsContract
from millrace_testing.contracts.ledger import LedgerContract
from millrace_testing.contracts.objects import ObjectsContract
from millrace_testing.discards import FakeDiscards
from millrace_testing.fakes import FakeLedger, FakeObjects
from millrace_testing.tables import COMMITS, create_table


@pytest.fixture
def s3_objects(aws) -> S3Objects:
    client = boto3.client("s3")
    client.create_bucket(Bucket="data")
    return S3Objects(client, "data")


@pytest.fixture
def dynamo_ledger(aws) -> DynamoLedger:
    client = boto3.client("dynamodb")
    create_table(client, "commits", COMMITS)
    return DynamoLedger(client, "commits")


class TestFakeObjects(ObjectsContract):
    """The fake."""

    @pytest.fixture
    def objects(self) -> FakeObjects:
        return FakeObjects()


class TestS3Objects(ObjectsContract):
    """The adapter, on moto."""

    @pytest.fixture
    def objects(self, s3_objects) -> S3Objects:
        return s3_objects


class TestFakeLedger(LedgerContract):
    """The fake."""

    @pytest.fixture
    def ledger(self) -> FakeLedger:
        return FakeLedger()


class TestDynamoLedger(LedgerContract):
    """The adapter, on moto."""

    @pytest.fixture
    def ledger(self, dynamo_ledger) -> DynamoLedger:
        return dynamo_ledger


class TestFakeDiscards(DiscardsContract):
    """The fake."""

    @pytest.fixture
    def ledger(self) -> FakeLedger:
        return FakeLedger()

    @pytest.fixture
    def discards(self, ledger) -> FakeDiscards:
        return FakeDiscards(ledger)


class TestDynamoDiscards(DiscardsContract):
    """The adapter, on moto."""

    @pytest.fixture
    def ledger(self, dynamo_ledger) -> DynamoLedger:
        return dynamo_ledger

    @pytest.fixture
    def discards(self, dynamo_ledger) -> DynamoDiscards:
        return DynamoDiscards(boto3.client("dynamodb"), "commits")


def test_the_unfinished_index_is_sparse(dynamo_ledger):
    """A commit is listed until its last stage marks it; one without events never is."""
    before = Checkpoint()
    for number, seq in enumerate((100, 200)):
        commit, _ = commit_of([event_bytes(seq)], first_seq=seq)
        after = Checkpoint(number + 1, seq, ())
        assert dynamo_ledger.commit(before, after, commit)
        before = after
    for stage in Stage:
        dynamo_ledger.mark(SHARD, 100, stage, {"events": 1})
    assert [shard for shard, _ in dynamo_ledger.unfinished()] == [SHARD]
    assert [head.first_seq for head in dynamo_ledger.heads(SHARD)] == [100, 200]


def test_unfinished_commits_of_a_window_are_found(dynamo_ledger):
    """Both ends included; finished ones and those outside are not; the newest if there are many."""
    made = []
    for number in range(12):
        at = ARRIVAL + timedelta(seconds=number)
        commit, _ = commit_of([event_bytes(1)], first_seq=100 + number)
        commit = replace(commit, head=replace(commit.head, committed_at=at))
        before = dynamo_ledger.read(SHARD)
        assert dynamo_ledger.commit(before, Checkpoint(before.version + 1, 100, ()), commit)
        made.append(at)
    for stage in Stage:
        dynamo_ledger.mark(SHARD, 105, stage, {"at": "now"})
    found = dynamo_ledger.unfinished_since(made[2], made[8])
    assert sorted(found) == [*made[2:5], *made[6:9]]
    assert len(dynamo_ledger.unfinished_since(made[0], made[11], most=4)) <= 4
    assert dynamo_ledger.unfinished_since(made[5], made[5]) == []


def test_a_stage_that_died_after_the_last_mark_is_made_up_for(dynamo_ledger):
    """A finished commit that is still listed leaves the index when its message comes back."""
    commit, _ = commit_of([event_bytes(1)])
    dynamo_ledger.commit(Checkpoint(), Checkpoint(1, 100, ()), commit)
    for stage in Stage:
        dynamo_ledger.mark(SHARD, 100, stage, {"events": 1})
    boto3.client("dynamodb").update_item(  # what a crash between the two updates leaves
        TableName="commits",
        Key=head_key(SHARD, 100),
        UpdateExpression="SET unfinished = :bucket",
        ExpressionAttributeValues={":bucket": {"S": "u0"}},
    )
    assert len(list(dynamo_ledger.unfinished())) == 1
    assert dynamo_ledger.head(SHARD, 100).finished
    assert list(dynamo_ledger.unfinished()) == []


def test_a_message_arrives(aws):
    """What is sent is on the queue."""
    client = boto3.client("sqs")
    url = client.create_queue(QueueName="enrich")["QueueUrl"]
    SqsQueue(client, url).send("body")
    assert client.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "body"


def test_errors_are_told_apart(aws):
    """A missing bucket cannot be retried; anything that may pass can."""
    with pytest.raises(ConfigError, match="NoSuchBucket"):
        S3Objects(boto3.client("s3"), "missing").put_new("raw/a", b"x")
    with pytest.raises(RetryableError, match="op"), translated("op"):
        raise _client_error("ThrottlingException")
    with pytest.raises(ConfigError, match="op"), translated("op"):
        raise _client_error("AccessDeniedException")


def _client_error(code: str) -> Exception:
    return ClientError({"Error": {"Code": code, "Message": "m"}}, "Operation")
