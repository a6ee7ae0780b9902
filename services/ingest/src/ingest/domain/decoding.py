"""From a Kinesis record's bytes to the events' bytes: KPL aggregation and gzip, by magic bytes."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import md5

from google.protobuf.message import DecodeError

from ingest.kpl.aggregated_record_pb2 import AggregatedRecord
from millrace.errors import RejectedRecord
from millrace.reasons import RejectReason

# https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md
KPL_MAGIC = b"\xf3\x89\x9a\xc2"
_MD5_BYTES = 16
MAX_DECOMPRESSED_BYTES = 16 * 1024 * 1024
"""Of all parts of one record together: more than the largest record (10 MiB) holds plainly."""
GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31  # zlib.decompressobj: 15 bits of window, 16 more for a gzip header


@dataclass(frozen=True, slots=True)
class Part:
    """One event's bytes inside a record, or the reason why they cannot be had."""

    position: int
    data: bytes
    """Decoded if it could be, else as it came."""
    rejection: RejectedRecord | None = None


def decode(data: bytes, max_event_bytes: int) -> tuple[Part, ...]:
    """Return the parts of a record, in order; a record that is not aggregated has one.

    An aggregate that fails its checksum or its message is one rejected part: nothing inside it can
    be trusted. All inner records are taken, whatever their partition or explicit hash keys: Lambda
    delivers an aggregate to the shard it was put on, once.
    """
    if not data.startswith(KPL_MAGIC):
        return (_part(0, data, max_event_bytes),)
    try:
        inner = _aggregated(data)
    except RejectedRecord as rejection:
        return (Part(0, data, rejection),)
    return tuple(_parts(inner, max_event_bytes))


def _parts(inner: Sequence[bytes], max_event_bytes: int) -> Iterator[Part]:
    left = MAX_DECOMPRESSED_BYTES
    for position, data in enumerate(inner):
        part = _part(position, data, min(max_event_bytes, left))
        if part.data is not data:
            left -= len(part.data)
        yield part


def _part(position: int, data: bytes, max_bytes: int) -> Part:
    if not data.startswith(GZIP_MAGIC):
        return Part(position, data)
    try:
        return Part(position, _decompressed(data, max_bytes))
    except RejectedRecord as rejection:
        return Part(position, data, rejection)


def _aggregated(data: bytes) -> Sequence[bytes]:
    message, checksum = data[len(KPL_MAGIC) : -_MD5_BYTES], data[-_MD5_BYTES:]
    if md5(message, usedforsecurity=False).digest() != checksum:
        raise RejectedRecord(
            RejectReason.KPL_CORRUPT, "the MD5 at the end of the aggregated record does not match"
        )
    aggregate = AggregatedRecord()
    try:
        aggregate.ParseFromString(message)
    except DecodeError as err:
        raise RejectedRecord(
            RejectReason.KPL_CORRUPT, f"the aggregated record is not a KPL message: {err}"
        ) from err
    if not aggregate.records:
        raise RejectedRecord(RejectReason.KPL_CORRUPT, "the aggregated record holds no record")
    return [record.data for record in aggregate.records]


def _decompressed(data: bytes, max_bytes: int) -> bytes:
    """Return the content of all gzip members, never more than `max_bytes` in memory at once."""
    content = b""
    while data:
        stream = zlib.decompressobj(_GZIP_WINDOW)
        try:
            content += stream.decompress(data, max_bytes + 1 - len(content))
        except zlib.error as err:
            raise RejectedRecord(RejectReason.GZIP_CORRUPT, str(err)) from err
        if len(content) > max_bytes:
            raise RejectedRecord(
                RejectReason.TOO_LARGE,
                f"the event decompresses to more than the {max_bytes} bytes left to it",
            )
        if not stream.eof:
            raise RejectedRecord(RejectReason.GZIP_CORRUPT, "the gzip data ends before its end")
        data = stream.unused_data
    return content
