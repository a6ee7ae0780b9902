"""What goes onto the stream: bytes and a partition key, in batches as full as Kinesis takes them.

Limits: 500 records and 10 MiB a request, partition keys included; a record is its data and its
partition key together, 1 MiB unless a stream opts in to more.
https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import orjson

from millrace import partition
from millrace_cli.event_times import TimeReader
from millrace_cli.mapping import FieldMapping
from millrace_cli.rows import BadRow, Row

MAX_BATCH_RECORDS = 500
MAX_BATCH_BYTES = 10 * 1024 * 1024
MAX_RECORD_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class OutRecord:
    """One record to put."""

    data: bytes
    partition_key: str
    event_type: str = ""
    """As the event says it; empty if it does not."""

    @property
    def size(self) -> int:
        """The bytes that count against Kinesis's limits."""
        return len(self.data) + len(self.partition_key.encode())


def record_of(
    row: Row, mapping: FieldMapping | None = None, times: TimeReader | None = None
) -> OutRecord:
    """Return the record for `row`; with neither mapping nor times its bytes are as they came.

    Raises:
        BadRow: a mapped column is missing, a time cannot be read, or the record is larger than
            Kinesis takes.
    """
    event = row.fields if mapping is None else mapping.apply(row)
    if times is not None:
        event = times.apply(event, row.line)
    data = row.data if event is row.fields else orjson.dumps(event)
    event_type = event.get("event_type")
    record = OutRecord(
        data,
        partition_key(event.get("entity_id"), data),
        event_type if isinstance(event_type, str) else "",
    )
    if record.size > MAX_RECORD_BYTES:
        raise BadRow(
            row.line,
            f"the event has {record.size} bytes with its partition key",
            f"a record may have {MAX_RECORD_BYTES}; shorten it or remove that line",
        )
    return record


def partition_key(entity: object, data: bytes) -> str:
    """Return the key that keeps one entity's events in order.

    Without an entity (the pipeline will quarantine the record) the content decides, so that such
    records spread over the shards.
    """
    if not isinstance(entity, str) or not entity:
        return partition.key_of_bytes(data)
    return partition.partition_key(entity)


def batches(
    records: Iterable[OutRecord], max_records: int = MAX_BATCH_RECORDS
) -> Iterator[list[OutRecord]]:
    """Yield the records in order, each batch as full as `max_records` and the limits allow."""
    batch: list[OutRecord] = []
    size = 0
    for record in records:
        if batch and (len(batch) == max_records or size + record.size > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += record.size
    if batch:
        yield batch
