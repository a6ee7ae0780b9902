"""An entity's events in a window of event time, in order, a page at a time, within a budget."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import orjson

from millrace.index import IndexEntry, OrderKey, days_within
from millrace.index_reading import entity_day
from millrace.investigate.cursors import (
    fingerprint_of,
    malformed_cursor,
    read_cursor,
    write_cursor,
)
from millrace.investigate.ports import IndexBodies
from millrace.investigate.walking import Period
from millrace.read_cost import Bound, Budget
from millrace.stored import StoredEvent
from millrace.times import format_ms, from_epoch_ms, to_epoch_ms

_DAYS_A_READ = 100
"""Bucket counts come a hundred items a request."""
_ORDER_TYPES = (int, int, str, str, int)
_DAY_MS = 86_400_000
_DAYS = range(-719_162 * _DAY_MS, 2_932_897 * _DAY_MS)
"""The years 1 to 9999, in epoch milliseconds."""


@dataclass(frozen=True)
class EventsAsked:
    """Whose events, and which of them."""

    entity_id: str
    period: Period
    """Of event times."""
    source: str | None = None
    event_type: str | None = None
    duplicates: bool = False

    @cached_property
    def fingerprint(self) -> str:
        """A cursor is good for this very question."""
        return fingerprint_of(
            "events", self.entity_id, self.period.fingerprint, self.source, self.event_type,
            self.duplicates,
        )  # fmt: skip

    def wants(self, entry: IndexEntry) -> bool:
        """Tell whether an event of the entity is asked for."""
        return (
            self.period.holds(entry.event_time)
            and self.source in (None, entry.source)
            and self.event_type in (None, entry.event_type)
            and (self.duplicates or not entry.duplicate)
        )


@dataclass(frozen=True, slots=True)
class EventsPage:
    """The answer: some of the events, in order of event time."""

    asked: EventsAsked
    events: tuple[dict[str, Any], ...]
    cursor: str | None
    """With this the same question is answered for the rest; None: this is the last page."""
    ended_by: Bound | None
    """What ended the page before it was full."""

    def as_json(self) -> dict[str, Any]:
        """Return the page for JSON."""
        return {
            "entity_id": self.asked.entity_id,
            "coverage": self.asked.period.as_json()
            | {
                "complete": self.cursor is None,
                "ended_by": self.ended_by,
                "cursor": self.cursor,
            },
            "events": list(self.events),
        }


@dataclass(frozen=True, slots=True)
class Timeline:
    """The use case. An entity's day is one partition of the index, which is read whole."""

    index: IndexBodies
    stored: Callable[[IndexEntry], StoredEvent]
    """Reads an event's bytes, for its payload: as `millrace.aws.events.EventReader.read`."""

    def page(
        self,
        asked: EventsAsked,
        budget: Budget,
        *,
        limit: int,
        cursor: str | None = None,
        payload: bool = False,
    ) -> EventsPage:
        """Return at most `limit` events; fewer if the budget ends, but a day's at least.

        Raises:
            InvalidQuestion: the cursor is malformed, or of another question.
        """
        after = None if cursor is None else _order_in(cursor, asked)
        reading = _Reading(self.index, asked, after, budget)
        found: list[IndexEntry] = []
        events: list[dict[str, Any]] = []
        for entry in reading:
            bound = budget.spent if payload and found else None
            if len(found) == limit or bound is not None:
                return EventsPage(asked, tuple(events), _cursor(asked, found[-1].order), bound)
            found.append(entry)
            events.append(entry_fields(entry, self.stored(entry) if payload else None))
        rest = None if reading.rest is None else _cursor(asked, reading.rest)
        return EventsPage(asked, tuple(events), rest, reading.ended_by)


class _Reading:
    """One reading of the entries behind a place, day by day; iterate it once."""

    def __init__(
        self, index: IndexBodies, asked: EventsAsked, after: OrderKey | None, budget: Budget
    ) -> None:
        self._index = index
        self._asked = asked
        self._after = after
        self._budget = budget
        self._begun = False
        self.ended_by: Bound | None = None
        self.rest: OrderKey | None = None

    def __iter__(self) -> Iterator[IndexEntry]:
        days = self._days()
        for first in range(0, len(days), _DAYS_A_READ):
            some = days[first : first + _DAYS_A_READ]
            if first and self._stop(some[0]):
                return
            counts = self._index.bucket_counts(some)
            for day in some:
                if day in counts:
                    if self._begun and self._stop(day):
                        return
                    self._begun = True
                    yield from self._of_day(day, counts[day])

    def _days(self) -> list[date]:
        days = days_within(self._asked.period.start, self._asked.period.end)
        if self._after is None:
            return days
        reached = from_epoch_ms(self._after[0]).date()
        return [day for day in days if day >= reached]

    def _of_day(self, day: date, buckets: int) -> Iterator[IndexEntry]:
        for entry in entity_day(self._index, self._asked.entity_id, day, buckets):
            if self._asked.wants(entry) and (self._after is None or entry.order > self._after):
                yield entry

    def _stop(self, day: date) -> bool:
        self.ended_by = self._budget.spent
        if self.ended_by is not None:
            midnight_ms = (day - date(1970, 1, 1)).days * _DAY_MS
            self.rest = midnight_ms, -1, "", 0, 0  # in front of all that the day holds
        return self.ended_by is not None


def entry_fields(entry: IndexEntry, stored: StoredEvent | None = None) -> dict[str, Any]:
    """Return an index entry for JSON; with the stored event also its payload."""
    fields = {
        "event_id": entry.event_id,
        "event_type": entry.event_type,
        "entity_id": entry.entity_id,
        "event_time": format_ms(entry.event_time),
        "source": entry.source,
        "arrival_time": format_ms(entry.arrival_time),
        "lag_ms": to_epoch_ms(entry.arrival_time) - to_epoch_ms(entry.event_time),
        "duplicate": entry.duplicate,
        "commit_id": entry.commit_id,
        "line": entry.line,
    }
    return fields if stored is None else fields | {"payload": _payload(stored)}


def _payload(stored: StoredEvent) -> object:
    return orjson.loads(stored.raw).get("payload", {})


def _cursor(asked: EventsAsked, order: OrderKey) -> str:
    at, arrival, shard, first_seq, line = order
    return write_cursor(asked.fingerprint, [at, arrival, shard, str(first_seq), line])


def _order_in(cursor: str, asked: EventsAsked) -> OrderKey:
    at, arrival, shard, first_seq, line = read_cursor(cursor, asked.fingerprint, _ORDER_TYPES)
    if at not in _DAYS or not (first_seq.isascii() and first_seq.isdecimal()):
        raise malformed_cursor()
    return at, arrival, shard, int(first_seq), line
