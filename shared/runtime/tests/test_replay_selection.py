"""What a replay selects: said exactly, or refused with the field and the remedy."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from millrace.replay.selection import InvalidSelection, Selection, parse_bound
from millrace_testing.builders import ARRIVAL, index_entry

HOUR = timedelta(hours=1)
ALL = Selection(ARRIVAL - HOUR, ARRIVAL)
ENTRY = index_entry(event_time=ARRIVAL - HOUR / 2, entity_id="ana", source="web", event_type="view")


@pytest.mark.validation
@pytest.mark.parametrize(
    "text",
    ["2025-12-28T09:00:00", "2025-12-28", "yesterday", "", "2025-13-28T09:00:00Z", "1766914200"],
)
def test_a_bound_without_offset_is_refused(text):
    """It is never guessed to be local or UTC; the message shows how to write one."""
    with pytest.raises(InvalidSelection, match=r"start: .*2025-12-28T09:00:00Z") as caught:
        parse_bound(text, "start")
    assert caught.value.field == "start"


@pytest.mark.validation
@pytest.mark.parametrize("fraction", ["0001", "1234", "0000001", "123000001"])
def test_a_bound_finer_than_milliseconds_is_refused(fraction):
    """Events have milliseconds, so cutting the rest off would move the bound."""
    with pytest.raises(InvalidSelection, match="finer than milliseconds"):
        parse_bound(f"2025-12-28T09:00:00.{fraction}Z", "end")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2025-12-28T10:00:00+01:00", datetime(2025, 12, 28, 9, tzinfo=UTC)),
        ("2025-12-28T09:00:00.250Z", datetime(2025, 12, 28, 9, 0, 0, 250_000, UTC)),
        ("2025-12-28T09:00:00.2500000Z", datetime(2025, 12, 28, 9, 0, 0, 250_000, UTC)),
        ("2025-12-28T09:00:00.1Z", datetime(2025, 12, 28, 9, 0, 0, 100_000, UTC)),
    ],
)
def test_a_bound_with_offset_is_an_instant(text, at):
    """Whatever the offset, to the millisecond."""
    assert parse_bound(text, "start") == at


@pytest.mark.validation
@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"end": ALL.start}, "end"),
        ({"end": ALL.start - HOUR}, "end"),
        ({"entity_id": ""}, "entity_id"),
        ({"source": ""}, "source"),
        ({"event_type": ""}, "event_type"),
        ({"limit": 0}, "limit"),
        ({"limit": -1}, "limit"),
    ],
)
def test_what_cannot_be_meant_is_refused(fields, field):
    """The error names the field."""
    with pytest.raises(InvalidSelection) as caught:
        replace(ALL, **fields)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("at", "wanted"),
    [(ALL.start, True), (ALL.start - timedelta(milliseconds=1), False),
     (ALL.end, False), (ALL.end - timedelta(milliseconds=1), True)],
)  # fmt: skip
def test_the_window_is_half_open(at, wanted):
    """The start is in, the end is out."""
    assert ALL.wants(replace(ENTRY, event_time=at)) is wanted


@pytest.mark.parametrize(
    ("selector", "other"), [("entity_id", "bo"), ("source", "app"), ("event_type", "buy")]
)
def test_every_selector_must_match(selector, other):
    """One that does not is enough to leave an event out; none selects all."""
    selection = replace(ALL, entity_id="ana", source="web", event_type="view")
    assert ALL.wants(ENTRY)
    assert selection.wants(ENTRY)
    assert not selection.wants(replace(ENTRY, **{selector: other}))
    assert not replace(ALL, **{selector: other}).wants(ENTRY)


def test_duplicates_are_selected_when_asked_for():
    """They are left out unless somebody says so."""
    repeat = replace(ENTRY, duplicate=True)
    assert not ALL.wants(repeat)
    assert replace(ALL, include_duplicates=True).wants(repeat)
    assert replace(ALL, include_duplicates=True).wants(ENTRY)


@pytest.mark.parametrize("limit", [None, 1, 10_000])
def test_a_selection_survives_its_json(limit):
    """Every field comes back."""
    selection = Selection(ALL.start, ALL.end, "ana", "web", "view", True, limit)
    assert Selection.from_fields(selection.to_fields()) == selection
    assert Selection.from_fields(ALL.to_fields()) == ALL
