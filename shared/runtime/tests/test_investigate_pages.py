"""An entity's events, page by page: whole, in order, each once, whatever ends a page."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.index import pages_of
from millrace.investigate.cursors import fingerprint_of, read_cursor, write_cursor
from millrace.investigate.errors import InvalidQuestion
from millrace.investigate.timeline import EventsAsked, Timeline
from millrace.investigate.walking import Period
from millrace.read_cost import Budget, ReadCost
from millrace_testing.builders import ARRIVAL, index_entry
from millrace_testing.fakes import FakeIndex, FixedClock
from millrace_testing.investigation import unbounded

START = datetime(2025, 1, 1, tzinfo=UTC)
PERIOD = Period(START, START + timedelta(days=300))
OVER = Budget(ReadCost(), FixedClock(ARRIVAL), deadline=ARRIVAL)


def timeline_of(days, duplicate=frozenset()):
    """Return the timeline of an entity with one event on each of `days`, and another entity's."""
    index = FakeIndex(4)
    entries = [
        index_entry(
            n, entity_id=entity, line=n, event_time=START + timedelta(days=day),
            duplicate=day in duplicate,
        )
        for n, (entity, day) in enumerate(
            (entity, day) for entity in ("mine", "other") for day in days
        )
    ]  # fmt: skip
    buckets = index.settled_buckets({entry.day for entry in entries})
    index.write(pages_of(entries, ARRIVAL, buckets))
    return Timeline(index, lambda entry: pytest.fail("no payload was asked for"))


def paged(timeline, asked, budget, limit):
    """Follow the cursors to the end; return all events, and how many pages there were."""
    found, cursor, pages = [], None, 0
    while cursor is not None or not pages:
        page = timeline.page(asked, budget, limit=limit, cursor=cursor)
        assert len(page.events) <= limit
        found += page.events
        cursor, pages = page.cursor, pages + 1
    return found, pages


@given(st.sets(st.integers(0, 299), max_size=12), st.integers(1, 5), st.booleans())
def test_pages_make_the_whole(days, limit, in_time):
    """With all the time there is and with none; none of another entity is among them."""
    asked = EventsAsked("mine", PERIOD)
    timeline = timeline_of(days)
    found, pages = paged(timeline, asked, unbounded() if in_time else OVER, limit)
    times = [each["event_time"] for each in found]
    assert len(found) == len(days)
    assert times == sorted(set(times))
    assert {each["entity_id"] for each in found} <= {"mine"}
    assert pages <= len(days) + 4  # one for each day, or for each hundred days without any


def test_copies_and_other_sources_are_left_out_unless_asked_for():
    """Filters are part of the question, so a cursor of another one is refused."""
    timeline = timeline_of(range(4), duplicate={2})
    whole = timeline.page(EventsAsked("mine", PERIOD, duplicates=True), unbounded(), limit=9)
    page = timeline.page(EventsAsked("mine", PERIOD), unbounded(), limit=2)
    assert (len(whole.events), len(page.events)) == (4, 2)
    other = EventsAsked("mine", PERIOD, source="mobile")
    assert timeline.page(other, unbounded(), limit=9).events == ()
    with pytest.raises(InvalidQuestion, match="another question"):
        timeline.page(other, unbounded(), limit=9, cursor=page.cursor)


@given(st.text())
def test_a_text_that_is_no_cursor_is_refused(text):
    """Whatever it is, the answer names the field."""
    with pytest.raises(InvalidQuestion) as refused:
        read_cursor(text, fingerprint_of("x"), [int, str])
    assert refused.value.field == "cursor"


def test_a_cursor_comes_back_as_it_was():
    """And one with values of other types is none."""
    mine = fingerprint_of("events", 1)
    assert read_cursor(write_cursor(mine, [7, "a"]), mine, [int, str]) == [7, "a"]
    with pytest.raises(InvalidQuestion, match="malformed"):
        read_cursor(write_cursor(mine, ["7", "a"]), mine, [int, str])
