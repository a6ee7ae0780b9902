"""The throughput of a shard: buckets by a clock, and what a producer meets on a limited engine."""

import base64
import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError

from millrace_local import engine as life_cycle
from millrace_local.engine import Engine
from millrace_local.environment import wants_shard_limits
from millrace_local.shims.limits import (
    EXCEEDED,
    MB,
    Bucket,
    ShardLimits,
    limited_get,
    limited_put,
    limited_puts,
)

ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
STREAM = {"StreamName": "s", "StreamARN": ARN}


class HandClock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def limits(clock) -> ShardLimits:
    return ShardLimits(clock)


def test_a_bucket_refills_with_time():
    """It holds one second's worth and no more."""
    bucket = Bucket(10, now=0)
    bucket.take(10)
    assert not bucket.has(1, now=0)
    assert bucket.has(5, now=0.5)
    assert not bucket.has(6, now=0.5)
    assert bucket.has(10, now=60)


def test_a_shard_takes_a_thousand_records_a_second(limits, clock):
    """The next one waits; other shards are not concerned.

    https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
    """
    assert all(limits.admits_write(ARN, "a", 10) for _ in range(1_000))
    assert not limits.admits_write(ARN, "a", 10)
    assert limits.admits_write(ARN, "b", 10)
    clock.at = 0.01
    assert limits.admits_write(ARN, "a", 10)


def test_a_shard_takes_a_megabyte_a_second(limits, clock):
    """Keys count too; a record of the largest size still passes a full bucket.

    https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
    """
    assert limits.admits_write(ARN, "a", MB + 256)
    assert not limits.admits_write(ARN, "a", 1)
    clock.at = 2.0
    assert limits.admits_write(ARN, "a", MB // 2)


def test_a_shard_is_read_five_times_a_second(limits, clock):
    """The sixth call is throttled, however little was read.

    https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
    """
    assert all(limits.admits_read(ARN, "a") for _ in range(5))
    assert not limits.admits_read(ARN, "a")
    clock.at = 0.2
    assert limits.admits_read(ARN, "a")


def test_ten_megabytes_are_paid_off_in_five_seconds(limits, clock):
    """After a page of 10 MB the calls of the next five seconds are throttled.

    https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
    """
    assert limits.admits_read(ARN, "a")
    limits.was_read(ARN, "a", 10 * MB)
    clock.at = 3.9
    assert not limits.admits_read(ARN, "a")
    clock.at = 5.1
    assert limits.admits_read(ARN, "a")


def record(size: int = 1) -> dict[str, Any]:
    return {"Data": base64.b64encode(b"x" * size).decode(), "PartitionKey": "k"}


def test_put_records_refuses_record_by_record(limits):
    """The others are put; each refused one has its own error, in its place.

    https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
    """
    numbers = count()

    def put(data: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        answers = [{"SequenceNumber": str(next(numbers)), "ShardId": "a"} for _ in data["Records"]]
        return 200, {}, json.dumps({"FailedRecordCount": 0, "Records": answers}).encode()

    limited = limited_puts(put, lambda _: ("s", STREAM), lambda *_: "a", limits)
    big = record(MB // 2)
    answer = json.loads(limited({"Records": [big, big, record(), record(MB // 2)]})[2])
    assert answer["FailedRecordCount"] == 2
    assert [each.get("SequenceNumber") for each in answer["Records"]] == ["0", None, "1", None]
    assert {answer["Records"][n]["ErrorCode"] for n in (1, 3)} == {EXCEEDED}
    assert "shard a in stream s under account 000000000000" in answer["Records"][1]["ErrorMessage"]


def test_put_record_is_refused_as_a_whole(limits):
    """One record, one error."""
    limited = limited_put(
        lambda _: (200, {}, b"{}"), lambda _: ("s", STREAM), lambda *_: "a", limits
    )
    assert limited(record(MB))[0] == 200
    status, _, body = limited(record())
    assert (status, json.loads(body)["__type"]) == (400, EXCEEDED)


def test_get_records_is_refused_while_in_debt(limits):
    """What a page held is charged to the shard that the iterator stands in."""
    page = json.dumps({"Records": [record(3 * MB)]}).encode()
    iterators = {"i": {"stream": "s", "stream_arn": ARN, "shard_id": "a"}}
    limited = limited_get(lambda _: (200, {}, page), iterators, limits)
    assert limited({"ShardIterator": "i"})[0] == 200
    assert json.loads(limited({"ShardIterator": "i"})[2])["__type"] == EXCEEDED


@pytest.mark.parametrize(
    ("value", "wanted"), [("1", True), ("true", True), ("0", False), ("", False)]
)
def test_the_variable_asks_for_limits(value, wanted):
    """SHARD_LIMITS=1 for every engine that is started; off without it."""
    assert wants_shard_limits({"SHARD_LIMITS": value}) is wanted
    assert not wants_shard_limits({})


@pytest.fixture(scope="module")
def limited_engine() -> Iterator[Engine]:
    name = "test-limits"
    life_cycle.stop(name)
    yield life_cycle.start(name, 0, shard_limits=True)
    life_cycle.stop(name)


@pytest.mark.engine
def test_a_producer_meets_the_limits_of_a_shard(limited_engine):
    """PutRecords says per record what was refused, PutRecord and GetRecords as a whole."""
    kinesis = limited_engine.client("kinesis", retries={"total_max_attempts": 1})
    kinesis.create_stream(StreamName="s", ShardCount=1)
    some = [{"Data": b"x" * 10_000, "PartitionKey": str(n)} for n in range(200)]
    answer = kinesis.put_records(StreamName="s", Records=some)
    refused = [each for each in answer["Records"] if "ErrorCode" in each]
    assert 0 < len(refused) == answer["FailedRecordCount"] < 200
    assert {each["ErrorCode"] for each in refused} == {EXCEEDED}
    place = {"StreamName": "s", "ShardId": "shardId-000000000000"}
    iterator = kinesis.get_shard_iterator(ShardIteratorType="TRIM_HORIZON", **place)
    stored = kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    assert len(stored) == 200 - len(refused)
    large = {"StreamName": "s", "Data": b"x" * 900_000, "PartitionKey": "k"}
    with pytest.raises(ClientError, match=EXCEEDED):
        many(lambda: kinesis.put_record(**large))
    with pytest.raises(ClientError, match=EXCEEDED):
        many(lambda: kinesis.get_records(ShardIterator=iterator["ShardIterator"]))


def many(call: Callable[[], object]) -> None:
    for _ in range(30):
        call()
