"""What the destination receives, in AWS's shape.

https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
"""

import json
import re

import pytest

from millrace_mapping.core.discards import (
    Condition,
    Discard,
    invocation_record,
    object_key,
    with_payload,
)
from millrace_mapping.core.outcome import Outcome
from millrace_mapping.core.records import RecordEncoder, StreamRecord
from millrace_mapping.core.settings import MappingSettings

SHARD = "shardId-000000000001"
SETTINGS = MappingSettings(
    uuid="2b733gdc-8ac3-cdf5-af3a-1827b3b11284",
    stream_arn="arn:aws:kinesis:us-east-2:123456789012:stream/mystream",
    function_arn="arn:aws:lambda:us-east-2:123456789012:function:myfunction",
    role_arn="arn:aws:iam::123456789012:role/lambda-role",
)
AT = 1573691886.021  # 2019-11-14T00:38:06.021Z
RAISED = Outcome(0, "ValueError: no", is_function_error=True, request_id="c9b8fa9f")
REPORTED = Outcome(0, "1 reported", request_id="c9b8fa9f")


def discard(
    condition: Condition = Condition.RETRIES, outcome: Outcome | None = RAISED, tried: int = 1
) -> Discard:
    encoder = RecordEncoder(SETTINGS, SHARD)
    records = [
        StreamRecord(
            "49601189658422359378836298521827638475320189012309704722", "k", b"a", 1573691884.835
        ),
        StreamRecord(
            "49601189658422359378836298522902373528957594348623495186", "k", b"b", 1573691885.58
        ),
    ]
    return Discard(SHARD, tuple(map(encoder.encode, records)), condition, tried, AT, outcome)


def test_the_document_is_the_documented_one():
    """Member by member AWS's example of an invocation record."""
    assert invocation_record(discard(), SETTINGS) == {
        "requestContext": {
            "requestId": "c9b8fa9f",
            "functionArn": "arn:aws:lambda:us-east-2:123456789012:function:myfunction",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 1,
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "version": "1.0",
        "timestamp": "2019-11-14T00:38:06.021Z",
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000001",
            "startSequenceNumber": "49601189658422359378836298521827638475320189012309704722",
            "endSequenceNumber": "49601189658422359378836298522902373528957594348623495186",
            "approximateArrivalOfFirstRecord": "2019-11-14T00:38:04.835Z",
            "approximateArrivalOfLastRecord": "2019-11-14T00:38:05.580Z",
            "batchSize": 2,
            "streamArn": "arn:aws:kinesis:us-east-2:123456789012:stream/mystream",
        },
    }


def test_a_reported_failure_is_no_function_error():
    """A function that named what it could not do has returned: the error is null."""
    record = invocation_record(discard(outcome=REPORTED, tried=4), SETTINGS)
    assert record["responseContext"]["functionError"] is None
    assert record["requestContext"]["approximateInvokeCount"] == 4


@pytest.mark.parametrize("tried", [0, 1])
def test_a_batch_that_is_too_old_has_no_response(tried):
    """It may never have been sent; an invocation is counted all the same."""
    record = invocation_record(discard(Condition.AGE, None, tried), SETTINGS)
    assert "responseContext" not in record
    assert record["requestContext"]["condition"] == "RecordAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 1


def test_only_a_bucket_receives_the_event():
    """`payload` is the whole event as text; the rest of the document is the same."""
    plain = invocation_record(discard(), SETTINGS)
    document = with_payload(plain, discard())
    assert document.keys() - plain.keys() == {"payload"}
    assert [r["kinesis"]["data"] for r in json.loads(document["payload"])["Records"]] == [
        "YQ==",
        "Yg==",
    ]


def test_the_key_of_the_object_is_the_documented_one():
    """aws/lambda/<ESM-UUID>/<shardID>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<Random UUID>."""
    key = object_key(discard(), SETTINGS.uuid, "5d1f0000-0000-4000-8000-000000000000")
    assert re.fullmatch(
        r"aws/lambda/2b733gdc-8ac3-cdf5-af3a-1827b3b11284/shardId-000000000001/2019/11/14/"
        r"2019-11-14T00\.38\.06-5d1f0000-0000-4000-8000-000000000000",
        key,
    )
