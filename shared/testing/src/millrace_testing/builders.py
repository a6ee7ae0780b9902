"""Values for tests: valid by default, each field replaceable."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from millrace import keys
from millrace.commit import (
    Commit,
    CommitBody,
    CommitCounts,
    CommitHead,
    CommittedLine,
    EventSpan,
    ShardKey,
    SourceStats,
)
from millrace.enriched import EnrichedEvent
from millrace.index import IndexEntry
from millrace.raw_lines import pack
from millrace.times import format_ms, to_epoch_ms

ARRIVAL = datetime(2025, 12, 28, 9, 30, tzinfo=UTC)
SHARD = ShardKey("1a2b3c4d", "shardId-000000000000")


def event_fields(number: int = 0, **fields: object) -> dict[str, object]:
    """Return the fields of a valid event; events of different `number` differ in id and entity."""
    return {
        "event_id": f"event-{number}",
        "event_type": "view",
        "entity_id": f"user_{number % 7}",
        "event_time": format_ms(ARRIVAL - timedelta(minutes=number % 120 + 1)),
        "source": "web",
        "payload": {"number": number},
    } | fields


def event_bytes(number: int = 0, **fields: object) -> bytes:
    """Return a valid event as a producer sends it."""
    return orjson.dumps(event_fields(number, **fields))


def kinesis_record(
    data: bytes, seq: int, *, shard: ShardKey = SHARD, arrival: datetime = ARRIVAL
) -> dict[str, Any]:
    """Return one record in Lambda's Kinesis shape.

    https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
    """
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "user_1",
            "sequenceNumber": str(seq),
            "data": b64encode(data).decode(),
            "approximateArrivalTimestamp": to_epoch_ms(arrival) / 1000,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard.shard_id}:{seq}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda-role",
        "awsRegion": "us-east-2",
        "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream",
    }


def kinesis_event(datas: Sequence[bytes], first_seq: int = 100) -> dict[str, Any]:
    """Return a batch in Lambda's Kinesis shape, one record for each of `datas`."""
    records = [kinesis_record(data, first_seq + number) for number, data in enumerate(datas)]
    return {"Records": records}


def sqs_event(bodies: Sequence[str]) -> dict[str, Any]:
    """Return a batch in Lambda's SQS shape; message ids are `message-0`, `message-1`, ...

    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": f"receipt-{number}",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1545082649183",
                    "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                    "ApproximateFirstReceiveTimestamp": "1545082649185",
                },
                "messageAttributes": {},
                "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:my-queue",
                "awsRegion": "us-east-2",
            }
            for number, body in enumerate(bodies)
        ]
    }


def commit_of(
    lines: Sequence[bytes],
    *,
    shard: ShardKey = SHARD,
    first_seq: int = 100,
    duplicates: Mapping[int, CommittedLine] | None = None,
) -> tuple[Commit, bytes]:
    """Return a commit of `lines` (one record each) and the bytes of its raw object.

    `duplicates` replaces the entries of those lines that are duplicates.
    """
    packed = pack(lines)
    arrival_ms = to_epoch_ms(ARRIVAL)
    table = [CommittedLine(first_seq + n, 0, arrival_ms) for n in range(len(lines))]
    for number, line in (duplicates or {}).items():
        table[number] = line
    duplicate_count = len(duplicates or {})
    head = CommitHead(
        shard=shard,
        first_seq=first_seq,
        last_seq=first_seq + len(lines) - 1,
        counts=CommitCounts(accepted=len(lines) - duplicate_count, duplicates=duplicate_count),
        first_arrival=ARRIVAL,
        last_arrival=ARRIVAL,
        committed_at=ARRIVAL,
        correlation_id="corr-1",
        raw_key=keys.raw_key(ARRIVAL, shard.shard_id, str(first_seq), "uuid"),
        raw_bytes=len(packed.body),
        quarantine_key=None,
        event_span=EventSpan(ARRIVAL - timedelta(hours=2), ARRIVAL),
    )
    stats = (
        SourceStats(
            source="web",
            event_type="view",
            accepted=len(lines) - duplicate_count,
            duplicates=duplicate_count,
            conflicts=0,
            late=0,
            line_bytes=sum(map(len, lines)),
            lag={7: len(lines)},
        ),
    )
    return Commit(head, CommitBody(packed.members, tuple(table), stats)), packed.body


def enriched_event(number: int = 0, **fields: Any) -> EnrichedEvent:  # noqa: ANN401 - any field
    """Return a valid enriched event; events of different `number` differ in id and entity."""
    defaults: dict[str, Any] = {
        "event_id": f"event-{number}",
        "event_type": "view",
        "entity_id": f"user_{number % 7}",
        "event_time": ARRIVAL - timedelta(minutes=number % 120 + 1),
        "source": "web",
        "client_id": "web",
        "payload": {"number": number},
        "schema_version": 1,
        "arrival_time": ARRIVAL,
        "defs_version": "0123456789abcdef",
    }
    return EnrichedEvent(**(defaults | fields))


def index_entry(number: int = 0, **fields: Any) -> IndexEntry:  # noqa: ANN401 - any field
    """Return a valid index entry; entries of different `number` differ in id and entity."""
    defaults: dict[str, Any] = {
        "event_id": f"event-{number}",
        "entity_id": f"user_{number % 7}",
        "event_time": ARRIVAL - timedelta(minutes=number % 120 + 1),
        "event_type": "view",
        "source": "web",
        "arrival_time": ARRIVAL,
        "shard": SHARD,
        "first_seq": 100,
        "line": 0,
    }
    return IndexEntry(**(defaults | fields))
