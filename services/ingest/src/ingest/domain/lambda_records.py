"""Lambda's shape of a Kinesis record, as events and the payloads of discarded batches hold it."""

from base64 import b64decode
from collections.abc import Iterable, Mapping
from typing import Any

from ingest.domain.records import StreamRecord


def stream_records(records: Iterable[Mapping[str, Any]]) -> list[StreamRecord]:
    """Return the records of an event, in its order."""
    return [_record(each["kinesis"]) for each in records]


def _record(kinesis: Mapping[str, Any]) -> StreamRecord:
    return StreamRecord(
        seq=int(kinesis["sequenceNumber"]),
        arrival_ms=round(kinesis["approximateArrivalTimestamp"] * 1000),
        data=b64decode(kinesis["data"]),
    )
