"""Notices of discarded batches, from a message of SQS into the ledger."""

from datetime import timedelta

import orjson
import pytest
from aws_lambda_powertools import Logger

from millrace.discarded.notice import MalformedNotice
from millrace.errors import ObjectMissing
from millrace_testing.builders import ARRIVAL, SHARD, kinesis_event, sqs_event
from millrace_testing.discards import FakeDiscards, discarded_batch
from millrace_testing.fakes import FakeLedger, FakeObjects
from millrace_testing.lambda_context import lambda_context
from watch.handler import notices
from watch.noting import NoteTaking

KEY = "aws/lambda/uuid/shardId-000000000000/2025/12/28/2025-12-28T09.35.00-x"


@pytest.fixture
def noting() -> NoteTaking:
    objects, logger = FakeObjects(), Logger(service="watch-test")
    objects.put_new(KEY, document())
    return NoteTaking(objects, FakeDiscards(FakeLedger()), SHARD.incarnation, logger)


def document() -> bytes:
    """Return what Lambda puts into the bucket for `discarded_batch(100, 104)`."""
    batch = discarded_batch()

    def instant(after: timedelta) -> str:
        return f"{ARRIVAL + after:%Y-%m-%dT%H:%M:%S}.000Z"

    info = {
        "shardId": SHARD.shard_id,
        "startSequenceNumber": str(batch.range.first),
        "endSequenceNumber": str(batch.range.last),
        "approximateArrivalOfFirstRecord": instant(timedelta()),
        "approximateArrivalOfLastRecord": instant(timedelta(seconds=2)),
        "batchSize": 5,
        "streamArn": "arn",
    }
    return orjson.dumps(
        {
            "requestContext": {"condition": batch.condition, "approximateInvokeCount": 3},
            "version": "1.0",
            "timestamp": instant(timedelta(minutes=5)),
            "KinesisBatchInfo": info,
            "payload": orjson.dumps(kinesis_event([b"x"] * 5)).decode(),
        }
    )


def told(key: str = KEY) -> str:
    return orjson.dumps({"Records": [{"s3": {"object": {"key": key}}}]}).decode()


def test_a_notice_becomes_a_row_once(noting):
    """However often S3 tells of the object."""
    assert [noting.note(told()), noting.note(told())] == [1, 0]
    assert list(noting.discards.open()) == [discarded_batch(payload_key=KEY)]


def test_trying_the_way_notes_nothing(noting):
    """S3 sends a test event when it is told whom to tell."""
    assert noting.note('{"Service": "Amazon S3", "Event": "s3:TestEvent"}') == 0


def test_a_foreign_object_is_no_batch(noting):
    """Its message goes to the dead letters, where somebody sees it."""
    noting.objects.put_new("aws/lambda/other", b"{}")
    with pytest.raises(MalformedNotice):
        noting.note(told("aws/lambda/other"))
    with pytest.raises(ObjectMissing):
        noting.note(told("aws/lambda/nothing"))


def test_no_message_stops_another(noting):
    """The bad one is delivered again, the good one is noted (with no time left to say why)."""
    event = sqs_event(["no notice", told()])
    answer = notices.handle(event, lambda_context(remaining_ms=1_000), noting)
    failed = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
    assert failed == [event["Records"][0]["messageId"]]
    assert len(list(noting.discards.open())) == 1
