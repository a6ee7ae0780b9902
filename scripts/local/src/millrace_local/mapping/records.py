"""Records on their way into a function: AWS's event shape, encoded once, and the cut of a batch."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass

from millrace_local.mapping.settings import MappingSettings

# Lambda's limit of a synchronous invocation's payload, base64 included:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_PAYLOAD_BYTES = 6 * 1024 * 1024

_OPENING = '{"Records":['
_CLOSING = "]}"


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One record as GetRecords returned it."""

    sequence: str
    partition_key: str
    data: bytes
    arrival: float  # epoch seconds


@dataclass(frozen=True, slots=True)
class EncodedRecord:
    """One record as its event has it: JSON text, ASCII only, so a character is a byte."""

    sequence: str
    arrival: float
    json: str


class RecordEncoder:
    """Encodes the records of one shard, whose constant members are written once."""

    def __init__(self, settings: MappingSettings, shard_id: str) -> None:
        """Prepare what all records of the shard have in common."""
        constants = {
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": settings.role_arn,
            "awsRegion": settings.region,
            "eventSourceARN": settings.stream_arn,
        }
        self._shard_id = shard_id
        self._constants = json.dumps(constants, separators=(",", ":"))[1:]

    def encode(self, record: StreamRecord) -> EncodedRecord:
        """Return the record in the shape of a Kinesis event (fixtures: tests/fixtures)."""
        sequence = record.sequence
        text = (
            '{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":'
            f"{json.dumps(record.partition_key)},"
            f'"sequenceNumber":"{sequence}","data":"{base64.b64encode(record.data).decode()}",'
            f'"approximateArrivalTimestamp":{record.arrival:.3f}}},'
            f'"eventID":"{self._shard_id}:{sequence}",{self._constants}'
        )
        return EncodedRecord(sequence, record.arrival, text)


def event_payload(batch: Sequence[EncodedRecord]) -> bytes:
    """Return the event of a batch as the function receives it."""
    body = ",".join(record.json for record in batch)
    return f"{_OPENING}{body}{_CLOSING}".encode("ascii")


@dataclass(frozen=True)
class Cut:
    """How many buffered records the next batch takes, and whether a limit made it end there."""

    count: int
    is_full: bool


def cut_batch(buffered: Sequence[EncodedRecord], batch_size: int) -> Cut:
    """Return the longest batch within the batch size and the payload limit.

    A record that alone exceeds the limit is a batch by itself: the invocation says so.
    """
    payload_bytes = len(_OPENING) + len(_CLOSING)
    for count, record in enumerate(buffered):
        payload_bytes += len(record.json) + 1
        if count == batch_size or (payload_bytes > MAX_PAYLOAD_BYTES and count > 0):
            return Cut(count, is_full=True)
    return Cut(len(buffered), is_full=len(buffered) >= batch_size)
