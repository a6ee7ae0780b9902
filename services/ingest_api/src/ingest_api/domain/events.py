"""From the bytes of each event to the records for the stream, or to all that is wrong with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from ingest_api.domain.refusals import ItemFault, Refusal, RefusalKind
from millrace.errors import RejectedRecord
from millrace.event import Event, EventLimits, parse_event
from millrace.partition import partition_key
from millrace.reasons import RejectReason

# Data and partition key together; a stream can opt in to more, ours does not.
# https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
MAX_RECORD_BYTES = 1024 * 1024
MAX_KEY_CHARACTERS = 252  # an idempotency_key has 256 at most, and "#499" is added in an array


@dataclass(frozen=True, slots=True)
class Record:
    """One record to put on the stream."""

    data: bytes
    partition_key: str

    @property
    def size(self) -> int:
        """The bytes that count against Kinesis's limits."""
        return len(self.data) + len(self.partition_key.encode())


@dataclass(frozen=True, slots=True)
class ReadyEvent:
    """A valid event and its record."""

    event_id: str
    record: Record


def keys_for(key: str | None, events: int, *, in_array: bool) -> Sequence[str | None]:
    """Return each event's idempotency key: `key` for one event, `key#0`, `key#1`... in an array.

    Raises:
        Refusal: the key is empty or too long.
    """
    if key is None:
        return [None] * events
    if not 1 <= len(key) <= MAX_KEY_CHARACTERS:
        raise Refusal(
            RefusalKind.UNREADABLE,
            f"the Idempotency-Key has {len(key)} characters; give 1 to {MAX_KEY_CHARACTERS}",
        )
    return [f"{key}#{index}" for index in range(events)] if in_array else [key] * events


def ready(
    events: Sequence[bytes],
    keys: Sequence[str | None],
    arrival: datetime,
    limits: EventLimits,
) -> tuple[ReadyEvent, ...]:
    """Return a record for each event, in order.

    Raises:
        Refusal: at least one is no event, or too large for the stream; it names all of them.
    """
    made: list[ReadyEvent] = []
    faults: list[ItemFault] = []
    for index, (data, key) in enumerate(zip(events, keys, strict=True)):
        try:
            made.append(_ready(data, key, arrival, limits))
        except RejectedRecord as rejected:
            faults.append(ItemFault(index, rejected.reason, rejected.message))
    if faults:
        raise _refusal(len(events), tuple(faults))
    return tuple(made)


def _ready(data: bytes, key: str | None, arrival: datetime, limits: EventLimits) -> ReadyEvent:
    event = parse_event(data, arrival, limits)
    if key is not None and event.fields.event_id is None and event.fields.idempotency_key is None:
        event = parse_event(_with_key(event, key), arrival, limits)
    record = Record(event.line, partition_key(event.fields.entity_id))
    if record.size > MAX_RECORD_BYTES:
        raise RejectedRecord(
            RejectReason.TOO_LARGE,
            f"the event has {record.size} bytes with its partition key; "
            f"a record of the stream has {MAX_RECORD_BYTES}",
        )
    return ReadyEvent(event.event_id, record)


def _with_key(event: Event, key: str) -> bytes:
    """Add the key as the last member: it counts even where the event says `null` before it."""
    return event.line[:-1] + b',"idempotency_key":' + orjson.dumps(key) + b"}"


def _refusal(events: int, faults: tuple[ItemFault, ...]) -> Refusal:
    too_large = any(fault.reason == RejectReason.TOO_LARGE for fault in faults)
    return Refusal(
        RefusalKind.TOO_LARGE if too_large else RefusalKind.INVALID_EVENTS,
        f"{len(faults)} of {events} events cannot be accepted, and none was sent",
        faults,
    )
