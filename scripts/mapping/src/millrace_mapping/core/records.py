"""Records on their way into a function: AWS's event shape, encoded once.

The event: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html (example event)
"""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass

from millrace_mapping.core.settings import MappingSettings

OPENING = '{"Records":['
CLOSING = "]}"


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
        """Return the record in the shape of a Kinesis event."""
        sequence = record.sequence
        text = (
            '{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":'
            f"{json.dumps(record.partition_key)},"
            f'"sequenceNumber":"{sequence}","data":"{base64.b64encode(record.data).decode()}",'
            f'"approximateArrivalTimestamp":{record.arrival:.3f}}},'
            f'"eventID":"{self._shard_id}:{sequence}",{self._constants}'
        )
        return EncodedRecord(sequence, record.arrival, text)


def event_payload(batch: Iterable[EncodedRecord]) -> bytes:
    """Return the event of a batch as the function receives it."""
    body = ",".join(record.json for record in batch)
    return f"{OPENING}{body}{CLOSING}".encode("ascii")
