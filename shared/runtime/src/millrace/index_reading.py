"""An entity's events in a window of event time, in order, page by page, out of the event index.

The order is `IndexEntry.order`: event time, then arrival, then place in the ledger. It is total and
holds across pages: no entry comes twice, and each page goes on strictly behind the one before. An
event that is committed while somebody pages is seen if it belongs behind the page token, else by
the next query from the start.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from typing import Any

import orjson

from millrace.errors import MillraceError
from millrace.index import IndexEntry, OrderKey, days_within, entity_bucket, unpack_entries
from millrace.ports import IndexPages
from millrace.times import from_epoch_ms, to_epoch_ms

_VERSION = 1


class InvalidPageToken(MillraceError):
    """A page token that no query gave out, or that another query gave out."""


@dataclass(frozen=True, slots=True)
class EntriesPage:
    """Some of an entity's events, and how to ask for the next ones."""

    entries: tuple[IndexEntry, ...]
    next_token: str | None
    """None: there are no more. A page with a token may be the last one that holds entries."""


@dataclass(frozen=True, slots=True)
class _Query:
    entity_id: str
    start: datetime
    end: datetime
    include_duplicates: bool

    @property
    def fingerprint(self) -> str:
        """A token is good for the query that gave it out, and for no other."""
        window = [to_epoch_ms(self.start), to_epoch_ms(self.end)]
        asked = orjson.dumps([self.entity_id, *window, self.include_duplicates])
        return blake2b(asked, digest_size=8).hexdigest()

    def wants(self, entry: IndexEntry) -> bool:
        """Tell whether the entry is asked for."""
        within = self.start <= entry.event_time < self.end
        return within and (self.include_duplicates or not entry.duplicate)


class EntityEvents:
    """Reads entities' events from index pages; a day's partition is read whole, once a call."""

    def __init__(self, pages: IndexPages) -> None:
        self._pages = pages

    def events_of(
        self,
        entity_id: str,
        start: datetime,
        end: datetime,
        *,
        include_duplicates: bool = False,
        page_token: str | None = None,
        limit: int = 100,
    ) -> EntriesPage:
        """Return at most `limit` events with `start <= event time < end`, in order.

        Pages are sorted by arrival, the answer by event time, so each call reads the partition of
        the day it stands in anew: for everything at once use `all_events_of`.

        Raises:
            InvalidPageToken: `page_token` is not of this very query.
            ValueError: `limit` is below 1.
            ConfigError, RetryableError: the index cannot be read.
        """
        if limit < 1:
            raise ValueError(f"limit is {limit}; ask for one event or more")
        query = _Query(entity_id, start, end, include_duplicates)
        after = _order_in(page_token, query) if page_token is not None else None
        found: list[IndexEntry] = []
        for entries in self._by_day(query, after):
            if len(found) == limit:
                break
            found += entries
            if len(found) > limit:
                break
        else:
            return EntriesPage(tuple(found), None)
        return EntriesPage(tuple(found[:limit]), _token(query, found[limit - 1].order))

    def all_events_of(
        self, entity_id: str, start: datetime, end: datetime, *, include_duplicates: bool = False
    ) -> Iterator[IndexEntry]:
        """Yield all events with `start <= event time < end`, in order, holding one day at a time.

        Raises:
            ConfigError, RetryableError: the index cannot be read (while iterating).
        """
        query = _Query(entity_id, start, end, include_duplicates)
        for entries in self._by_day(query, None):
            yield from entries

    def _by_day(self, query: _Query, after: OrderKey | None) -> Iterator[list[IndexEntry]]:
        """Yield the entries of each day that has any pages, those at or before `after` left out."""
        days = days_within(query.start, query.end)
        if after is not None:
            days = [day for day in days if day >= from_epoch_ms(after[0]).date()]
        counts = self._pages.bucket_counts(days)
        for day in days:
            if day in counts:
                yield self._of_day(query, day, counts[day], after)

    def _of_day(
        self, query: _Query, day: date, buckets: int, after: OrderKey | None
    ) -> list[IndexEntry]:
        return [
            entry
            for entry in entity_day(self._pages, query.entity_id, day, buckets)
            if query.wants(entry) and (after is None or entry.order > after)
        ]


def entity_day(pages: IndexPages, entity_id: str, day: date, buckets: int) -> list[IndexEntry]:
    """Return all that the index has of an entity on a day, copies too, in order.

    Raises:
        ConfigError, RetryableError: the index cannot be read.
    """
    # By order: should two releases have cut a commit's pages differently, each event is one.
    found = {
        entry.order: entry
        for body in pages.bodies(day, entity_bucket(entity_id, buckets))
        for entry in unpack_entries(body, entity_id)
    }
    return [found[order] for order in sorted(found)]


def _token(query: _Query, order: OrderKey) -> str:
    at, arrival, shard, first_seq, line = order
    fields = [_VERSION, query.fingerprint, at, arrival, shard, str(first_seq), line]
    return urlsafe_b64encode(orjson.dumps(fields)).decode().rstrip("=")


def _order_in(token: str, query: _Query) -> OrderKey:
    try:
        padded = token + "=" * (-len(token) % 4)
        fields: Any = orjson.loads(urlsafe_b64decode(padded.encode("ascii")))
        version, fingerprint, at, arrival, shard, first_seq, line = fields
        order = (int(at), int(arrival), str(shard), int(first_seq), int(line))
        from_epoch_ms(order[0])
    except (ValueError, TypeError, OverflowError, OSError) as err:
        raise InvalidPageToken(
            "the page token is malformed; pass it on exactly as the answer before gave it"
        ) from err
    if (version, fingerprint) != (_VERSION, query.fingerprint):
        raise InvalidPageToken("the page token is of another query; ask again without one")
    return order
