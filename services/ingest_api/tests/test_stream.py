"""PutRecords: against moto, and through what can go wrong on the way."""

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from ingest_api.adapters import MAX_CALL_BYTES, UNANSWERED, KinesisStream, kinesis_client
from ingest_api.domain.events import Record
from ingest_api.service import FrontDoor, Request
from millrace.errors import ConfigError
from millrace.event import EventLimits
from millrace_testing.builders import ARRIVAL, event_bytes
from millrace_testing.crash.wire import Crash

LOST = ReadTimeoutError(endpoint_url="kinesis")
THROTTLED = "ProvisionedThroughputExceededException"


@pytest.fixture
def client(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = kinesis_client()
        client.create_stream(StreamName="events", ShardCount=1)
        yield client


def arn_of(client) -> str:
    summary = client.describe_stream_summary(StreamName="events")
    return summary["StreamDescriptionSummary"]["StreamARN"]


def on_stream() -> list[tuple[bytes, str]]:
    client = boto3.client("kinesis")
    iterator = client.get_shard_iterator(
        StreamName="events", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    found = client.get_records(ShardIterator=iterator, Limit=10_000)["Records"]
    return [(each["Data"], each["PartitionKey"]) for each in found]


def records(count: int) -> list[Record]:
    return [Record(b"%d" % n, f"user {n % 3} ü") for n in range(count)]


class Script:
    """A client that follows a script: for each call the error code of each index that fails."""

    def __init__(self, *rounds: dict[int, str]) -> None:
        self.rounds = list(rounds)
        self.calls: list[list[bytes]] = []

    def put_records(self, *, Records, StreamARN):  # noqa: N803 - boto3's names
        failing = self.rounds.pop(0) if len(self.rounds) > 1 else self.rounds[0]
        self.calls.append([each["Data"] for each in Records])
        answers = [
            {"ErrorCode": failing[n], "ErrorMessage": "no"} if n in failing else {"ShardId": "s"}
            for n in range(len(Records))
        ]
        return {"FailedRecordCount": len(failing), "Records": answers}


class Faulty:
    """A client whose first call fails before it reached the stream, or after it took effect."""

    def __init__(self, client, before=None, after=None) -> None:
        self.client, self.before, self.after = client, before, after

    def put_records(self, **request):
        before, after, self.before, self.after = self.before, self.after, None, None
        if before:
            raise before
        answer = self.client.put_records(**request)
        if after:
            raise after
        return answer


def test_records_reach_the_stream_with_their_keys(client):
    """Bytes and partition keys arrive unchanged, in order."""
    result = KinesisStream(client, arn_of(client)).put(records(500), within_s=1)
    assert (result.failed, result.retried) == ({}, 0)
    assert on_stream() == [(each.data, each.partition_key) for each in records(500)]


def test_a_missing_stream_is_no_passing_fault(client):
    """No retry helps: a configuration error, at once."""
    with pytest.raises(ConfigError):
        KinesisStream(client, arn_of(client) + "x").put(records(1), within_s=60)


def test_only_failed_records_are_put_again():
    """Those that Kinesis took are not sent twice, and the codes are of the last round."""
    script = Script({1: THROTTLED, 3: "InternalFailure"}, {1: THROTTLED}, {})
    result = KinesisStream(script, "arn", max_wait_s=0.001).put(records(5), within_s=5)
    assert script.calls == [[b"0", b"1", b"2", b"3", b"4"], [b"1", b"3"], [b"3"]]
    assert (result.failed, result.retried) == ({}, 3)


def test_what_keeps_failing_is_told_by_its_place():
    """When time is up the failed records are named by index, with their last code."""
    script = Script({0: THROTTLED, 2: "InternalFailure"}, {0: "InternalFailure", 1: THROTTLED})
    result = KinesisStream(script, "arn", max_wait_s=0.01).put(records(3), within_s=0.1)
    assert result.failed == {0: "InternalFailure", 2: THROTTLED}
    assert result.retried >= 2


def test_without_time_there_is_one_try():
    """A budget of nothing still sends once."""
    script = Script({0: THROTTLED})
    result = KinesisStream(script, "arn").put(records(1), within_s=0)
    assert (result.failed, result.retried, len(script.calls)) == ({0: THROTTLED}, 0, 1)


def test_calls_are_as_full_as_kinesis_takes_them():
    """500 records or 10 MiB a call, keys included."""
    script = Script({})
    many = KinesisStream(script, "arn").put(records(501), within_s=0)
    assert ([len(call) for call in script.calls], many.failed) == ([500, 1], {})
    script = Script({})
    half = Record(b"x" * (MAX_CALL_BYTES // 8 - 1), "k")
    KinesisStream(script, "arn").put([half] * 9, within_s=0)
    assert [len(call) for call in script.calls] == [8, 1]


def test_a_lost_answer_is_made_good(client):
    """Records whose answer was lost are put again with the same bytes: ingest drops the doubles."""
    faulty = Faulty(client, after=LOST)
    result = KinesisStream(faulty, arn_of(client), max_wait_s=0.001).put(records(3), within_s=5)
    assert (result.failed, result.retried) == ({}, 3)
    assert on_stream() == 2 * [(each.data, each.partition_key) for each in records(3)]


def test_a_throttled_call_is_made_good(client):
    """Nothing of the call was taken; all of it is put again."""
    throttled = ClientError({"Error": {"Code": "LimitExceededException"}}, "PutRecords")
    faulty = Faulty(client, before=throttled)
    result = KinesisStream(faulty, arn_of(client), max_wait_s=0.001).put(records(3), within_s=5)
    assert (result.failed, result.retried) == ({}, 3)
    assert on_stream() == [(each.data, each.partition_key) for each in records(3)]


def test_an_answer_lost_in_the_last_moment_is_told_as_such(client):
    """Whether the records are there nobody knows, so the client is asked to send them again."""
    faulty = Faulty(client, after=LOST)
    result = KinesisStream(faulty, arn_of(client)).put(records(2), within_s=0)
    assert result.failed == {0: UNANSWERED, 1: UNANSWERED}
    assert len(on_stream()) == 2


@pytest.mark.parametrize(("place", "copies"), [("before", 1), ("after", 2)])
def test_a_request_sent_again_after_a_crash_adds_nothing_new(client, place, copies):
    """The function died, the client had no answer and repeats: the same bytes, so the same ids."""
    faulty = Faulty(client, **{place: Crash("the process died")})
    door = FrontDoor(KinesisStream(faulty, arn_of(client)), EventLimits(), 10**6)
    array = b"[" + b",".join(event_bytes(n) for n in range(4)) + b"]"
    request = Request(array, "", "key", ARRIVAL)
    with pytest.raises(Crash):
        door.accept(request, within_s=1)
    assert door.accept(request, within_s=1).failed == ()
    assert [data for data, _ in on_stream()] == copies * [event_bytes(n) for n in range(4)]
