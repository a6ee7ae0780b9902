"""Any records, cut into any batches, redelivered from any point: the result of one clean pass."""

from base64 import b64decode
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_stories import IngestStory

from ingest.domain.records import StreamRecord
from millrace.identity import gate_key
from millrace.raw_lines import unpack
from millrace.reference import Reference
from millrace.times import to_epoch_ms
from millrace_testing.builders import ARRIVAL, SHARD, event_bytes

pytestmark = pytest.mark.batch

EVENTS = st.integers(0, 6).map(event_bytes) | st.integers(0, 6).map(
    lambda number: event_bytes(number, payload={"other": True})
)
PARTS = EVENTS | st.sampled_from([b"not json", b"[]", b"\xff"])
DATAS = PARTS | st.lists(PARTS, min_size=1, max_size=4).map(lambda few: IngestStory.aggregate(*few))


@st.composite
def deliveries(draw: st.DrawFn, records: int) -> list[tuple[int, int, frozenset[int]]]:
    """Batches as Kinesis may deliver them: each starts at or before what is committed.

    Each names the events whose gate keys are throttled to the end during it.
    """
    position, batches = 0, []
    while position < records:
        start = draw(st.integers(0, position))
        end = draw(st.integers(start + 1, records))
        throttled = draw(st.frozensets(st.integers(0, 6), max_size=2))
        batches.append((start, end, throttled))
        if not throttled:
            position = max(position, end)
        if len(batches) > 30:
            break
    return [*batches, (0, records, frozenset())]


def observed(world: Any) -> dict[str, Any]:
    """Return what readers see, by record, whatever the commits' boundaries."""
    seen: dict[str, Any] = {"lines": {}, "quarantined": {}, "received": 0}
    for head in world.ledger.heads(SHARD):
        entries = world.ledger.load(SHARD, head.first_seq).body.lines
        raw = unpack(world.objects.get(head.raw_key)) if head.raw_key else []
        for line, entry in zip(raw, entries, strict=True):
            place = (entry.seq, entry.position)
            assert place not in seen["lines"]
            seen["lines"][place] = (line, entry.duplicate_of, entry.conflict)
        if head.quarantine_key:
            for row in map(orjson.loads, unpack(world.objects.get(head.quarantine_key))):
                place = (row["sequence"], row["position"])
                assert place not in seen["quarantined"]
                seen["quarantined"][place] = (row["reason"], b64decode(row["bytes_base64"]))
        seen["received"] += head.counts.received
    announced = {Reference.parse(body).first_seq for body in world.queue.sent}
    holding = {head.first_seq for head in world.ledger.heads(SHARD) if head.raw_key}
    assert announced == holding
    return seen


def records_of(datas: Sequence[bytes]) -> list[StreamRecord]:
    arrival = to_epoch_ms(ARRIVAL)
    return [StreamRecord(100 + n, arrival, data) for n, data in enumerate(datas)]


@settings(max_examples=150, deadline=None)
@given(st.data(), st.lists(DATAS, min_size=1, max_size=12))
def test_any_cut_and_any_redelivery_end_alike(new_world, data, datas):
    """Boundaries, repeats, throttles: every record ends once, with the verdict of a clean pass."""
    records = records_of(datas)
    clean = new_world()
    assert clean.deliver(records).retry_from is None
    world = new_world()
    for start, end, throttled in data.draw(deliveries(len(records))):
        world.gate.throttled = {gate_key("web", f"event-{number}") for number in throttled}
        world.deliver(records[start:end])
    assert observed(world) == observed(clean)
