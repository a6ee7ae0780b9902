"""A small, made-up, always equal set of events: three sources, some duplicates, some malformed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import orjson

from millrace_cli.records import OutRecord, partition_key

EVENTS = 1000
DUPLICATES = 40
_START = datetime(2025, 12, 28, 9, 0, tzinfo=UTC)
_SPAN_S = 6 * 3600
_TYPES = {
    "web": ("page_view", "click", "checkout"),
    "mobile": ("app_open", "click", "checkout"),
    "billing": ("invoice_paid",),
}
_CLIENTS = ("acme", "globex", "initech")
_MALFORMED = (
    b"this is not JSON",
    b'["an", "array"]',
    b'{"event_type":"click","source":"web","event_time":"2025-12-28T09:30:00Z"}',
    b'{"event_type":"click","source":"web","entity_id":"user_1","event_time":"yesterday"}',
    b'{"event_type":"click","source":"web","entity_id":"user_1","event_time":"2025-12-28T09:30:00"}',
    b'{"event_type":"click","source":"A B","entity_id":"u","event_time":"2025-12-28T09:30:00Z"}',
    b'{"event_type":"click","source":"web","entity_id":17,"event_time":"2025-12-28T09:30:00Z"}',
    b'{"event_type":"click","source":"web","entity_id":"user_1","event_time":"2999-01-01T00:00:00Z"}',
)


@dataclass(frozen=True, slots=True)
class Sample:
    """The records in the order in which to send them, and what they are."""

    records: tuple[OutRecord, ...]
    distinct: int
    duplicates: int
    malformed: int


def make_sample() -> Sample:
    """Return the sample: the same bytes on every machine, so a second run is all duplicates."""
    random = Random(20251228)  # noqa: S311 - made-up data, not a secret
    bodies = [_event(random, number) for number in range(EVENTS)]
    for original in random.sample(bodies, DUPLICATES):
        bodies.insert(random.randrange(len(bodies) + 1), original)
    for malformed in _MALFORMED:
        bodies.insert(random.randrange(len(bodies) + 1), malformed)
    return Sample(tuple(_record(body) for body in bodies), EVENTS, DUPLICATES, len(_MALFORMED))


def _event(random: Random, number: int) -> bytes:
    source = random.choice(list(_TYPES))
    at = _START + timedelta(seconds=_SPAN_S * number / EVENTS, milliseconds=random.randrange(1000))
    payload: dict[str, object] = {"n": number}
    event_type = random.choice(_TYPES[source])
    if event_type in {"checkout", "invoice_paid"}:
        payload["amount"] = random.randrange(500, 20000) / 100
    return orjson.dumps(
        {
            "event_type": event_type,
            "entity_id": f"user_{random.randrange(1, 201)}",
            "event_time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "source": source,
            "client_id": random.choice(_CLIENTS),
            "payload": payload,
        }
    )


def _record(body: bytes) -> OutRecord:
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        event = None
    fields = event if isinstance(event, dict) else {}
    return OutRecord(
        body, partition_key(fields.get("entity_id"), body), fields.get("event_type", "")
    )
