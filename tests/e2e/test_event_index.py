"""Events found again by entity and by id, in a deployed pipeline."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import orjson
import pytest

from millrace.times import format_ms

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

START = datetime(2025, 12, 27, 18, tzinfo=UTC)


@pytest.fixture(scope="module")
def sent(pipeline, tmp_path_factory):
    """Thirty events of one entity, over midnight and out of order, ten of them twice."""
    entity = f"user #{uuid4().hex}/ü"
    events = [
        {
            "event_id": f"{entity}-{n}",
            "event_type": "e2e",
            "entity_id": entity,
            "event_time": format_ms(START + timedelta(minutes=30 * (n * 7 % 30))),
            "source": "e2e",
            "payload": {"n": n, "text": "x" * 4000},
        }
        for n in range(30)
    ]
    file = tmp_path_factory.mktemp("index") / "events.ndjson"
    lines = [orjson.dumps(event) for event in [*events, *events[:10]]]
    file.write_bytes(b"\n".join(lines) + b"\n")
    before = pipeline.put(file)
    pipeline.settled(before["received"] + len(lines))
    return entity, events


def listed(pipeline, entity, *options):
    text = pipeline.millrace("events", "--entity", entity, "--from", "2025-12-27", *options)
    return [json.loads(line) for line in text.splitlines()]


def test_an_entitys_events_come_in_order(pipeline, sent):
    """All thirty once, by event time, over two event days; with duplicates forty."""
    entity, events = sent
    in_order = sorted(events, key=lambda event: event["event_time"])
    rows = listed(pipeline, entity, "--to", "2025-12-29", "--payload")
    assert [row["event_id"] for row in rows] == [event["event_id"] for event in in_order]
    assert [row["payload"] for row in rows] == [event["payload"] for event in in_order]
    assert {row["event_time"][:10] for row in rows} == {"2025-12-27", "2025-12-28"}
    both = listed(pipeline, entity, "--to", "2025-12-29", "--include-duplicates")
    assert (len(both), sum(row["duplicate"] for row in both)) == (40, 10)
    first_day = [event for event in events if event["event_time"] < "2025-12-28"]
    assert len(listed(pipeline, entity)) == len(first_day)


def test_an_event_comes_back_byte_by_byte(pipeline, sent):
    """By its id the event is what was sent, to the byte."""
    _, events = sent
    for event in (events[0], events[29]):
        text = pipeline.millrace("event", event["event_id"], "--source", "e2e", "--raw")
        assert text.encode() == orjson.dumps(event) + b"\n"
