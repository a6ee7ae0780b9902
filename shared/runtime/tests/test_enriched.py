"""The enriched row."""

from datetime import UTC, datetime

import orjson

from millrace.enriched import Assignment, EnrichedEvent, normalised
from millrace.event import read_event
from millrace.times import to_epoch_ms

SENT = {
    "event_type": "view",
    "entity_id": "user#1/2",
    "event_time": "2025-12-28T10:29:00.1239+01:00",
    "event_id": "e1",
    "source": "web",
    "payload": {"price": 12.5},
    "correlation_id": "c-1",
    "colour": "red",
}
ARRIVAL = datetime(2025, 12, 28, 9, 30, tzinfo=UTC)


def test_the_golden_row():
    """A row has UTC milliseconds, its lag, its defaults and its unknown keys."""
    row = normalised(read_event(orjson.dumps(SENT)), to_epoch_ms(ARRIVAL), "0123456789abcdef")
    assert orjson.loads(row.to_line()) == {
        "event_id": "e1",
        "event_type": "view",
        "entity_id": "user#1/2",
        "event_time": "2025-12-28T09:29:00.123Z",
        "source": "web",
        "client_id": "web",
        "payload": {"price": 12.5},
        "schema_version": 1,
        "arrival_time": "2025-12-28T09:30:00.000Z",
        "lag_ms": 59877,
        "assignments": [],
        "experiments": {},
        "defs_version": "0123456789abcdef",
        "colour": "red",
        "correlation_id": "c-1",
    }


def test_a_row_is_read_back():
    """Reading a line gives the event that wrote it, assignments included."""
    event = normalised(read_event(orjson.dumps(SENT)), to_epoch_ms(ARRIVAL), "v")
    assigned = Assignment("exp#1", "B", ARRIVAL, -59.877)
    full = EnrichedEvent(
        **{name: getattr(event, name) for name in EnrichedEvent.__dataclass_fields__}
        | {"assignments": (assigned,), "experiments": {"exp#1": {"owner": "growth"}}}
    )
    assert EnrichedEvent.from_line(full.to_line()) == full
