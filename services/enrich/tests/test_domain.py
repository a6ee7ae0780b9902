"""Plain values through enrich's domain."""

import gzip
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from enrich.domain import (
    CorruptCommit,
    Gaps,
    accepted_events,
    committed_events,
    distinct_entities,
    enriched,
    experiments_in,
    gaps,
    index_entries,
)
from millrace.assignments import EntityAssignment, EntityAssignments
from millrace.commit import CommittedLine, Owner
from millrace.enriched import EnrichedEvent
from millrace.times import format_ms, to_epoch_ms
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, enriched_event, event_bytes

pytestmark = pytest.mark.enrichment

DEFS = "0123456789abcdef"
DUPLICATE = CommittedLine(1, 0, to_epoch_ms(ARRIVAL), Owner(str(SHARD), 7, 0))
WIKITICKER = Path(__file__).parents[4] / "shared" / "data" / "wikiticker-2015-09-12-sampled.json.gz"


def accepted(commit, raw):
    return accepted_events(commit, committed_events(commit, raw), DEFS)


def test_duplicates_are_left_out_and_the_order_is_kept():
    """Exactly the lines that are no duplicate come out, in line order."""
    lines = [event_bytes(n) for n in range(5)]
    commit, _ = commit_of(lines, duplicates={0: DUPLICATE, 3: DUPLICATE})
    events = accepted(commit, lines)
    assert [each.event_id for each in events] == ["event-1", "event-2", "event-4"]


def test_each_event_has_its_own_arrival():
    """The arrival of a row is that of its line, so the lag is right."""
    lines = [event_bytes(0), event_bytes(1)]
    commit, _ = commit_of(lines)
    late = replace(commit.body.lines[1], arrival_ms=to_epoch_ms(ARRIVAL) + 250)
    commit = replace(commit, body=replace(commit.body, lines=(commit.body.lines[0], late)))
    first, second = accepted(commit, lines)
    assert first.arrival_time == ARRIVAL
    assert second.arrival_time == ARRIVAL + timedelta(milliseconds=250)


@pytest.mark.parametrize("raw", [[], [event_bytes(0)], [event_bytes(n) for n in range(3)]])
def test_a_raw_object_of_another_length_is_refused(raw):
    """An object that does not fit its line table stops the commit instead of losing events."""
    commit, _ = commit_of([event_bytes(0), event_bytes(1)])
    with pytest.raises(CorruptCommit, match="the line table 2"):
        accepted(commit, raw)


def test_an_accepted_line_that_is_no_event_is_refused():
    """A line that ingest accepted is never dropped; the error names the line, not its bytes."""
    commit, _ = commit_of([event_bytes(0), b'{"secret": 1}'])
    with pytest.raises(CorruptCommit, match=r"line 1 .*missing_field") as refused:
        accepted(commit, [event_bytes(0), b'{"secret": 1}'])
    assert "secret" not in str(refused.value)


def test_the_index_keeps_duplicates_too():
    """Each line is an entry, in line order, with its own arrival, duplicates flagged."""
    at = "2025-12-28T10:00:00.9+02:00"
    lines = [event_bytes(n, entity_id="a#b", event_time=at) for n in (1, 2)]
    commit, _ = commit_of(lines, duplicates={1: DUPLICATE})
    first, second = index_entries(commit, committed_events(commit, lines))
    assert (first.line, first.duplicate, second.line, second.duplicate) == (0, False, 1, True)
    assert (first.event_id, first.entity_id, first.source) == ("event-1", "a#b", "web")
    assert format_ms(first.event_time) == "2025-12-28T08:00:00.900Z"
    assert (first.arrival_time, first.commit_id) == (ARRIVAL, commit.head.commit_id)


def test_a_duplicate_that_is_no_event_is_refused():
    """What the index would have to leave out stops the commit as well."""
    commit, _ = commit_of([event_bytes(0), b"{}"], duplicates={1: DUPLICATE})
    with pytest.raises(CorruptCommit, match="line 1"):
        committed_events(commit, [event_bytes(0), b"{}"])


def test_entities_are_named_once():
    """Each entity is looked up once, however many events it has."""
    assert distinct_entities(enriched_event(n) for n in (3, 0, 3, 10)) == ["user_3", "user_0"]


def assigned(*assignments, malformed=0):
    """Return the assignments of user_0 alone."""
    return {"user_0": EntityAssignments(assignments, malformed)}


def test_an_entity_may_be_in_several_experiments():
    """All of an entity's assignments are attached, with only their experiments' metadata."""
    mine = assigned(EntityAssignment("e1", "A", ARRIVAL), EntityAssignment("e2", "B", ARRIVAL))
    metadata = {"e1": {"owner": "x"}, "e2": {}, "e3": {"owner": "y"}}
    (event,) = enriched([enriched_event(0)], mine, metadata)
    assert [(each.experiment_id, each.variant) for each in event.assignments] == [
        ("e1", "A"),
        ("e2", "B"),
    ]
    assert event.experiments == {"e1": {"owner": "x"}, "e2": {}}


def test_only_experiments_that_somebody_is_in_are_looked_up():
    """Each experiment is named once, in one order, however many entities are in it."""
    b, a = EntityAssignment("b", "A", ARRIVAL), EntityAssignment("a", "A", ARRIVAL)
    found = {"user_0": EntityAssignments((a, b)), "user_1": EntityAssignments((b,))}
    assert experiments_in(found) == ["a", "b"]


@pytest.mark.parametrize(
    ("offset_s", "expected", "before"),
    [(-60.0, 60.0, False), (0.5, -0.5, True), (0.0, 0.0, False)],
)
def test_seconds_since_assignment_are_signed(offset_s, expected, before):
    """An event before its assignment shows as a negative number, and is flagged and counted."""
    event = enriched_event(0)
    mine = assigned(EntityAssignment("e1", "A", event.event_time + timedelta(seconds=offset_s)))
    (row,) = enriched([event], mine, {"e1": {}})
    assert row.assignments[0].seconds_since_assignment == expected
    (stored,) = json.loads(row.to_line())["assignments"]
    assert stored["before_assignment"] is before
    assert gaps(["user_0"], mine, {"e1": {}}, [row]).events_before_assignment == before


def test_an_event_before_two_assignments_is_counted_once():
    """The figure counts events, not pairs."""
    later = ARRIVAL + timedelta(days=1)
    mine = assigned(EntityAssignment("e1", "A", later), EntityAssignment("e2", "A", later))
    rows = list(enriched([enriched_event(0), enriched_event(1)], mine, {}))
    assert gaps(["user_0"], mine, {}, rows).events_before_assignment == 1


def test_an_unknown_experiment_is_counted_and_its_variant_kept():
    """Without metadata the assignment still stands; what was not found is told."""
    mine = assigned(EntityAssignment("e1", "A", ARRIVAL))
    (row,) = enriched([enriched_event(0)], mine, {})
    assert ([each.variant for each in row.assignments], row.experiments) == (["A"], {})
    assert gaps(["user_0"], mine, {}, []).experiments_unknown == 1


def test_an_entity_without_a_readable_assignment_is_unassigned():
    """Malformed assignments are counted, and their entity counts as in no experiment."""
    found = assigned(malformed=2)
    assert gaps(["user_0", "user_1"], found, {}, []) == Gaps(2, 2)


@pytest.mark.skipif(not WIKITICKER.is_file(), reason="../shared/data is not beside this checkout")
def test_real_rows_keep_their_unknown_keys():
    """Each key of a real row survives under its own name beside the contract's fields."""
    with gzip.open(WIKITICKER, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for _, line in zip(range(2000), file, strict=False)]
    sent = [
        row
        | {
            "source": "wikipedia",
            "event_type": "edit",
            "entity_id": row["user"],
            "client_id": row["channel"],
            "event_time": row["time"],
            "payload": {"added": row["added"]},
        }
        for row in rows
    ]
    lines = [json.dumps(each).encode() for each in sent]
    commit, _ = commit_of(lines)
    for row, event in zip(rows, accepted(commit, lines), strict=True):
        stored = json.loads(event.to_line())
        assert row.items() <= stored.items()
        assert (stored["entity_id"], stored["client_id"]) == (row["user"], row["channel"])
        assert stored["event_time"] == row["time"]
        assert EnrichedEvent.from_line(event.to_line()) == event
