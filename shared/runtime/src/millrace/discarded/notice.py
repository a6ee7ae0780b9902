"""How Lambda tells of a batch it gave up: its invocation record, and S3's word of a new object.

https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

import orjson

from millrace.commit import SeqRange, ShardKey
from millrace.discarded.batch import DiscardedBatch
from millrace.errors import MillraceError, RejectedRecord
from millrace.times import parse_rfc3339

_TEST_EVENT = "s3:TestEvent"


class MalformedNotice(MillraceError):
    """A message or an object that tells of no discarded batch; it will never become one."""


def object_keys(body: str) -> list[str]:
    """Return the keys that a notification names; none if it only tests the way here.

    Raises:
        MalformedNotice: it is no notification of S3.
    """
    try:
        told = orjson.loads(body)
        if told.get("Event") == _TEST_EVENT:
            return []
        return [unquote_plus(each["s3"]["object"]["key"]) for each in told["Records"]]
    except (ValueError, AttributeError, KeyError, TypeError) as err:
        raise MalformedNotice(f"not a notification of S3: {type(err).__name__}: {err}") from err


def read_notice(document: bytes, incarnation: str, payload_key: str | None) -> DiscardedBatch:
    """Return the batch that an invocation record tells of.

    incarnation: of the stream, which the record names only by its ARN.

    Raises:
        MalformedNotice: it is no invocation record of a Kinesis batch.
    """
    try:
        fields = orjson.loads(document)
        return _batch_of(fields, incarnation, payload_key)
    except (ValueError, AttributeError, KeyError, TypeError, RejectedRecord) as err:
        name = payload_key or "the message"
        raise MalformedNotice(f"{name}: no invocation record: {type(err).__name__}: {err}") from err


def _batch_of(
    fields: Mapping[str, Any], incarnation: str, payload_key: str | None
) -> DiscardedBatch:
    info, request = fields["KinesisBatchInfo"], fields["requestContext"]
    response = fields.get("responseContext") or {}
    return DiscardedBatch(
        shard=ShardKey(incarnation, info["shardId"]),
        range=SeqRange(int(info["startSequenceNumber"]), int(info["endSequenceNumber"])),
        records=int(info["batchSize"]),
        first_arrival=_instant(info["approximateArrivalOfFirstRecord"]),
        last_arrival=_instant(info["approximateArrivalOfLastRecord"]),
        discarded_at=_instant(fields["timestamp"]),
        condition=str(request["condition"]),
        attempts=int(request["approximateInvokeCount"]),
        error=response.get("functionError") or "",
        request_id=request.get("requestId") or "",
        payload_key=payload_key,
    )


def _instant(text: str) -> datetime:
    return parse_rfc3339(text)


def payload_records(document: bytes) -> Sequence[Mapping[str, Any]]:
    """Return the records of the event that an invocation record carries, in Lambda's shape.

    Raises:
        MalformedNotice: it carries none.
    """
    try:
        payload = orjson.loads(document)["payload"]
        # Text as recorded of the service; a reader should take an object too.
        event = orjson.loads(payload) if isinstance(payload, str) else payload
        records: Sequence[Mapping[str, Any]] = event["Records"]
    except (ValueError, KeyError, TypeError) as err:
        raise MalformedNotice(f"no records inside: {type(err).__name__}: {err}") from err
    return records
