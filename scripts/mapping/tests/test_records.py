"""The event that a function receives, and where a batch ends."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace_mapping.aws.kinesis import next_limit
from millrace_mapping.core.batching import MAX_PAYLOAD_BYTES, Cut, cut_batch
from millrace_mapping.core.records import (
    EncodedRecord,
    RecordEncoder,
    StreamRecord,
    event_payload,
)
from millrace_mapping.core.settings import (
    MappingSettings,
    Origin,
    Start,
    read_mapping,
    unsupported,
)

FIXTURES = Path(__file__).parents[4] / "shared/data/lambda-event-fixtures"
OFFICIAL = ("powertools-python/kinesisStreamEvent.json", "aws-lambda-go/kinesis-event.json")
MAPPING: dict[str, Any] = {
    "UUID": "u",
    "EventSourceArn": "arn:aws:kinesis:us-east-1:000000000000:stream/s",
    "FunctionArn": "f",
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
    """100 records, no window, retries and ages without end, nothing split, one batch a shard.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
    """
    found = read_mapping(MAPPING, "role")
    assert found == MappingSettings("u", MAPPING["EventSourceArn"], "f", "role", enabled=False)
    assert (found.batch_size, found.window_s, found.retries, found.record_age_s) == (100, 0, -1, -1)
    assert (found.bisects, found.parallelization, found.reports_item_failures) == (False, 1, False)


def test_a_mapping_is_read_as_terraform_made_it() -> None:
    """Every setting that the engine follows is taken from the mapping."""
    at = datetime(2015, 9, 12, tzinfo=UTC)
    queue = "arn:aws:sqs:us-east-1:000000000000:discarded"
    found = read_mapping(
        MAPPING
        | {
            "State": "Enabled",
            "BatchSize": 500,
            "MaximumBatchingWindowInSeconds": 2,
            "MaximumRetryAttempts": 0,
            "MaximumRecordAgeInSeconds": 3600,
            "BisectBatchOnFunctionError": True,
            "ParallelizationFactor": 10,
            "StartingPosition": "AT_TIMESTAMP",
            "StartingPositionTimestamp": at,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "DestinationConfig": {"OnFailure": {"Destination": queue}},
            "FilterCriteria": {"Filters": [{"Pattern": "{}"}]},
        },
        "role",
    )
    assert found == MappingSettings(
        "u",
        MAPPING["EventSourceArn"],
        "f",
        "role",
        batch_size=500,
        window_s=2,
        start=Start(Origin.AT_TIMESTAMP, at=at.timestamp()),
        reports_item_failures=True,
        retries=0,
        record_age_s=3600,
        bisects=True,
        parallelization=10,
        destination_arn=queue,
        filters=("{}",),
    )


def test_a_mapping_that_is_disabled_is_paused() -> None:
    """Only a mapping that is enabled, or about to be, is run."""
    states = ("Creating", "Enabling", "Enabled", "Updating", "Disabling", "Disabled", "Deleting")
    enabled = [state for state in states if read_mapping(MAPPING | {"State": state}, "r").enabled]
    assert enabled == ["Creating", "Enabling", "Enabled", "Updating"]


def test_settings_without_effect_are_named() -> None:
    """What this engine does not do is said, so that nobody takes silence for support."""
    assert unsupported(MAPPING | {"TumblingWindowInSeconds": 60}) == ["TumblingWindowInSeconds"]
    assert unsupported(MAPPING | {"TumblingWindowInSeconds": 0}) == []
