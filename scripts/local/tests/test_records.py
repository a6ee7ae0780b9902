"""The event that a function receives, and where a batch ends."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace_local.mapping.aws import next_limit
from millrace_local.mapping.records import (
    MAX_PAYLOAD_BYTES,
    Cut,
    EncodedRecord,
    RecordEncoder,
    StreamRecord,
    cut_batch,
    event_payload,
)
from millrace_local.mapping.settings import MappingSettings, read_mapping, unsupported

FIXTURES = Path(__file__).parents[4] / "shared/data/lambda-event-fixtures"
OFFICIAL = ("powertools-python/kinesisStreamEvent.json", "aws-lambda-go/kinesis-event.json")
MAPPING: dict[str, Any] = {
    "UUID": "u",
    "EventSourceArn": "arn:aws:kinesis:us-east-1:000000000000:stream/s",
    "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:f",
}


def settings_of(event: dict[str, Any]) -> MappingSettings:
    first = event["Records"][0]
    mapping = MAPPING | {"EventSourceArn": first["eventSourceARN"]}
    return read_mapping(mapping, first["invokeIdentityArn"])


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="../shared/data is not beside this checkout")
@pytest.mark.parametrize("name", OFFICIAL)
def test_the_event_is_the_one_that_aws_sends(name: str) -> None:
    """Records read from a stream become, member by member, AWS's published event."""
    event = json.loads((FIXTURES / name).read_text())
    shard_id = event["Records"][0]["eventID"].split(":")[0]
    encoder = RecordEncoder(settings_of(event), shard_id)
    records = [
        StreamRecord(
            record["kinesis"]["sequenceNumber"],
            record["kinesis"]["partitionKey"],
            base64.b64decode(record["kinesis"]["data"]),
            record["kinesis"]["approximateArrivalTimestamp"],
        )
        for record in event["Records"]
    ]
    assert json.loads(event_payload([encoder.encode(record) for record in records])) == event


@given(st.text(max_size=256), st.binary(max_size=200))
def test_any_key_and_any_bytes_arrive_as_they_were(key: str, data: bytes) -> None:
    """No partition key and no data break the event's JSON, and its length is known in bytes."""
    encoder = RecordEncoder(read_mapping(MAPPING, "role"), "shardId-000000000000")
    encoded = encoder.encode(StreamRecord("1", key, data, 0.5))
    kinesis = json.loads(event_payload([encoded]))["Records"][0]["kinesis"]
    assert (kinesis["partitionKey"], base64.b64decode(kinesis["data"])) == (key, data)
    assert len(encoded.json) == len(encoded.json.encode())


def encoded(length: int) -> EncodedRecord:
    return EncodedRecord("1", 0, "x" * length)


def test_a_batch_ends_at_its_size() -> None:
    """No more records than the batch size, and then the batch counts as full."""
    assert cut_batch([encoded(10)] * 5, 3) == Cut(3, is_full=True)
    assert cut_batch([encoded(10)] * 3, 3) == Cut(3, is_full=True)
    assert cut_batch([encoded(10)] * 2, 3) == Cut(2, is_full=False)
    assert cut_batch([], 3) == Cut(0, is_full=False)


def test_a_batch_ends_at_the_payload_limit() -> None:
    """The longest batch that fits in 6 MB is cut, however many records the size allows."""
    records = [encoded(1_400_000)] * 10
    cut = cut_batch(records, 10_000)
    assert cut == Cut(4, is_full=True)
    assert len(event_payload(records[:4])) <= MAX_PAYLOAD_BYTES < len(event_payload(records[:5]))


def test_a_record_over_the_limit_goes_alone() -> None:
    """One record that is too large is a batch by itself: the invocation is what refuses it."""
    assert cut_batch([encoded(MAX_PAYLOAD_BYTES), encoded(10)], 10) == Cut(1, is_full=True)


@pytest.mark.parametrize(
    ("count", "data_bytes", "limit"),
    [(1_000, 500_000, 10_000), (10, 10_000_000, 10), (1, 50_000_000, 1), (5, 0, 10_000)],
)
def test_a_page_stays_within_the_limits_of_aws(count: int, data_bytes: int, limit: int) -> None:
    """10,000 records or about 10 MB, whichever is less: memory stays bounded."""
    assert next_limit(count, data_bytes) == limit


def test_defaults_of_a_mapping_are_those_of_aws() -> None:
    """100 records, no window, retries for ever, no partial failures.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
    """
    found = read_mapping(MAPPING, "role")
    assert (found.batch_size, found.window_s, found.retries) == (100, 0, -1)
    assert not found.reports_item_failures


def test_a_mapping_is_read_as_terraform_made_it() -> None:
    """Every setting that the poller follows is taken from the mapping."""
    at = datetime(2015, 9, 12, tzinfo=UTC)
    found = read_mapping(
        MAPPING
        | {
            "BatchSize": 500,
            "MaximumBatchingWindowInSeconds": 2,
            "MaximumRetryAttempts": 0,
            "StartingPosition": "AT_TIMESTAMP",
            "StartingPositionTimestamp": at,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        },
        "role",
    )
    assert (found.batch_size, found.window_s, found.retries) == (500, 2, 0)
    assert (found.starting_position, found.starting_timestamp) == ("AT_TIMESTAMP", at)
    assert found.reports_item_failures


def test_settings_without_effect_are_named() -> None:
    """What this poller does not do is said, so that nobody takes silence for support."""
    ignored = {"ParallelizationFactor": 2, "BisectBatchOnFunctionError": True}
    harmless = {"ParallelizationFactor": 1, "MaximumRecordAgeInSeconds": -1}
    assert unsupported(MAPPING | ignored) == list(ignored)
    assert unsupported(MAPPING | harmless) == []
