"""Plain values through archive's domain: the cut, and what a part says of itself."""

import gzip
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.domain import CLIENTS_LISTED, Row, manifest_row, parts_of
from archive.stamp import BadStamp, layout_of
from millrace.archive_layout import ArchiveLayout
from millrace.enriched import EnrichedEvent, normalised
from millrace.event import read_event
from millrace.times import to_epoch_ms
from millrace.windows import hour_label
from millrace_testing.builders import ARRIVAL, enriched_event

pytestmark = pytest.mark.archival

DATA = Path(__file__).parents[4] / "shared" / "data"
WIDE = ArchiveLayout(max_events=1000, max_bytes=5_000_000)

STAMP = {"archive-max-events": "10", "archive-max-bytes": "100"}

offsets_s = st.integers(min_value=-4 * 3600, max_value=4 * 3600)
object_lines = st.lists(st.tuples(offsets_s, st.integers(min_value=0, max_value=300)), max_size=40)
cuts = st.builds(
    ArchiveLayout,
    max_events=st.integers(min_value=1, max_value=12),
    max_bytes=st.integers(min_value=1, max_value=4000),
)


def lines_of(spec) -> list[bytes]:
    return [
        enriched_event(
            number,
            event_time=ARRIVAL + timedelta(seconds=offset),
            payload={"text": "x" * size},
        ).to_line()
        for number, (offset, size) in enumerate(spec)
    ]


@given(object_lines, cuts)
def test_every_event_is_in_exactly_one_part(spec, cut):
    """Nothing is lost, doubled or altered, whatever the cut."""
    lines = lines_of(spec)
    kept = [row.line for part in parts_of(lines, cut) for row in part.rows]
    assert Counter(kept) == Counter(lines)


@given(object_lines, cuts)
def test_a_part_holds_one_hour(spec, cut):
    """Each event lies in the UTC hour of its part."""
    for part in parts_of(lines_of(spec), cut):
        assert part.rows
        assert {hour_label(row.event_time) for row in part.rows} == {hour_label(part.hour)}


@given(object_lines, cuts)
def test_order_is_kept_and_hours_ascend(spec, cut):
    """Part numbers run from 0 with the hours; inside an hour the object's order stands."""
    lines = lines_of(spec)
    parts = parts_of(lines, cut)
    assert [part.number for part in parts] == list(range(len(parts)))
    kept = [row for part in parts for row in part.rows]
    place = {line: number for number, line in enumerate(lines)}
    order = [(hour_label(row.event_time), place[row.line]) for row in kept]
    assert order == sorted(order)


@given(object_lines, cuts)
def test_bounds_are_kept_and_parts_are_full(spec, cut):
    """No part passes a bound (but a lone large event), and none ends before it must."""
    parts = parts_of(lines_of(spec), cut)
    for part in parts:
        size = sum(len(row.line) + 1 for row in part.rows)
        assert len(part.rows) <= cut.max_events
        assert size <= cut.max_bytes or len(part.rows) == 1
    for part, following in pairwise(parts):
        if part.hour == following.hour:
            grown = [*part.rows, following.rows[0]]
            size = sum(len(row.line) + 1 for row in grown)
            assert len(grown) > cut.max_events or size > cut.max_bytes


@given(object_lines, cuts, st.randoms(use_true_random=False))
def test_input_hashes_do_not_depend_on_order(spec, cut, random):
    """The hashes of all parts add up to the same sum in any order and any cut."""
    lines = lines_of(spec)
    shuffled = random.sample(lines, len(lines))
    sums = {
        sum(int(part.input_hash, 16) for part in parts) % 2**64
        for parts in (parts_of(lines, WIDE), parts_of(shuffled, cut))
    }
    assert len(sums) == 1


def test_the_edges_of_an_hour():
    """The first instant of an hour is in it, the last millisecond before is not."""
    edge = datetime(2015, 9, 12, 13, tzinfo=UTC)
    times = [edge, edge - timedelta(milliseconds=1), edge + timedelta(minutes=59, seconds=59)]
    parts = parts_of((enriched_event(0, event_time=at).to_line() for at in times), WIDE)
    assert [(hour_label(part.hour), len(part.rows)) for part in parts] == [
        ("2015-09-12T12", 1),
        ("2015-09-12T13", 2),
    ]


def test_an_empty_object_has_no_parts():
    """A commit of duplicates alone leaves nothing in the archive."""
    assert parts_of([], WIDE) == []


def test_a_part_says_what_it_holds():
    """Count, first and last event time and hash are the rows'; times need not be in order."""
    events = [
        enriched_event(n, event_time=ARRIVAL + timedelta(minutes=m)) for n, m in ((0, 5), (1, 1))
    ]
    (part,) = parts_of([event.to_line() for event in events], WIDE)
    expected_hash = sum(event.hash64 for event in events) % 2**64
    assert part.labels() == {
        "events": "2",
        "first-event-time": "2025-12-28T09:31:00.000Z",
        "last-event-time": "2025-12-28T09:35:00.000Z",
        "input-hash": f"{expected_hash:016x}",
    }


@pytest.mark.parametrize(
    ("clients", "expected"), [(CLIENTS_LISTED, CLIENTS_LISTED), (CLIENTS_LISTED + 1, None)]
)
def test_clients_are_counted_up_to_a_bound(clients, expected):
    """A manifest row lists up to a hundred clients with their events, or none."""
    events = [enriched_event(n, event_time=ARRIVAL, client_id=f"c{n}") for n in range(clients)]
    (part,) = parts_of([event.to_line() for event in events], WIDE)
    row = manifest_row(part, "archive/x", "commit", 10, ARRIVAL)
    assert (None if row.clients is None else len(row.clients)) == expected


def test_lines_are_kept_as_they_are():
    """The archive holds the very bytes of the enriched row."""
    line = enriched_event(0, extra={"colour": "blue"}).to_line()
    assert Row.of(line).line is line


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ({}, "archive-max-events"),
        ({"archive-max-events": "10"}, "archive-max-bytes"),
        ({"archive-max-events": "0", "archive-max-bytes": "1"}, "archive-max-events"),
        ({"archive-max-events": "10", "archive-max-bytes": "-1"}, "archive-max-bytes"),
        ({"archive-max-events": "²", "archive-max-bytes": "1"}, "archive-max-events"),
        (STAMP | {"archive-compression": "brotli"}, "archive-compression"),
        (STAMP | {"archive-level": "fast"}, "archive-level"),
    ],
)
def test_a_bad_stamp_is_named(metadata, named):
    """Without a usable cut the error names object and value: no default could be right."""
    with pytest.raises(BadStamp, match=f"object enriched/x: metadata `{named}`"):
        layout_of("enriched/x", metadata)


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not beside this checkout")
@pytest.mark.exhaustive
def test_a_real_day_by_hour():
    """39,244 real edits fall into their hours exactly as counted from the file itself."""
    expected = json.loads((DATA / "wikiticker_expected.json").read_text())
    with gzip.open(DATA / "wikiticker-2015-09-12-sampled.json.gz") as file:
        lines = [_enriched(json.loads(line)).to_line() for line in file]
    parts = parts_of(lines, WIDE)
    rows: Counter[str] = Counter()
    for part in parts:
        rows[hour_label(part.hour)] += len(part.rows)
    assert rows == {each["hour"]: each["rows"] for each in expected["by_hour"]}
    assert max(len(part.rows) for part in parts) <= 1000
    kept = {EnrichedEvent.from_line(row.line).event_id for part in parts for row in part.rows}
    assert len(kept) == expected["rows"]


def _enriched(row: dict[str, object]) -> EnrichedEvent:
    sent = {
        "source": "wikipedia",
        "event_type": "edit",
        "entity_id": row["user"],
        "client_id": row["channel"],
        "event_time": row["time"],
        "payload": row,
    }
    event = read_event(json.dumps(sent).encode())
    return normalised(event, to_epoch_ms(ARRIVAL), "0123456789abcdef")
