"""The event index: which events an entity has, in pages that enrich writes commit by commit.

A page lists the events of one commit in one entity bucket and one event day. Events of an entity
share its bucket, so its day is one partition; sixteen buckets (INDEX_BUCKETS, BUCKETS here) are a
compromise. A page costs a write unit for each 1,024 bytes begun: with few buckets pages are full
and cheap, but an entity's day is found among many other entities' events; with many buckets
reading is cheap and writing pays for pages that are nearly empty. At 16, commits of 500 to 1,000
events cost about 0.05 write units an event (services/enrich/tests/test_index_cost.py measures
it), and an entity's day among 1,000,000 events is 2 to 3 MB to read. A commit whose events
spread over many days, or one of a few events, costs up to one unit an event.

The number of buckets is stored for each day by the first writer, so that another setting later
loses no page of an earlier day.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from itertools import accumulate
from typing import Any

import orjson

from millrace.commit import ShardKey
from millrace.errors import MillraceError
from millrace.times import from_epoch_ms, to_epoch_ms

BUCKETS = 16
MAX_BUCKETS = 1024
PAGE_BYTES = 300_000  # DynamoDB's item limit is 400 KB, keys and names included
_VERSION = 1

OrderKey = tuple[int, int, str, int, int]
"""Event time, arrival (both epoch ms), shard, first sequence number of the commit, line."""


class UnknownPage(MillraceError):
    """A page of a format that this release does not know."""


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One event as the index knows it: enough to list it, and the way to its bytes."""

    event_id: str
    entity_id: str
    event_time: datetime
    """To the millisecond, as in the enriched row."""
    event_type: str
    source: str
    arrival_time: datetime
    shard: ShardKey
    first_seq: int
    """Of the commit that holds the event."""
    line: int
    """In the commit's raw object, from 0."""
    duplicate: bool = False

    @property
    def commit_id(self) -> str:
        """The name of the commit that holds the event."""
        return f"{self.shard.incarnation}-{self.shard.shard_id}-{self.first_seq}"

    @property
    def day(self) -> date:
        """The UTC day of the event's time."""
        return self.event_time.astimezone(UTC).date()

    @property
    def order(self) -> OrderKey:
        """What entries are sorted by; no two have the same."""
        return (
            to_epoch_ms(self.event_time),
            to_epoch_ms(self.arrival_time),
            str(self.shard),
            self.first_seq,
            self.line,
        )


@dataclass(frozen=True, slots=True)
class PagePlace:
    """The partition of a page: an entity bucket on an event day."""

    day: date
    bucket: int


@dataclass(frozen=True, slots=True)
class IndexPage:
    """The events of one commit in one place. A commit never changes, so neither does its page."""

    place: PagePlace
    arrived: datetime
    """The first arrival of the commit."""
    commit_id: str
    part: int | None
    """From 0 where the events did not fit one page; else None."""
    events: int
    body: bytes


def entity_bucket(entity_id: str, buckets: int) -> int:
    """Return the bucket of an entity, the same on every machine and release."""
    digest = blake2b(entity_id.encode(), digest_size=8, person=b"millrace-index")
    return int.from_bytes(digest.digest(), "big") % buckets


def days_within(start: datetime, end: datetime) -> list[date]:
    """Return each UTC day that the window `start <= t < end` touches, in order."""
    if start >= end:
        return []
    first = start.astimezone(UTC).date()
    last = (end.astimezone(UTC) - timedelta(microseconds=1)).date()
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def pages_of(
    entries: Sequence[IndexEntry],
    arrived: datetime,
    buckets: Mapping[date, int],
    page_bytes: int = PAGE_BYTES,
) -> list[IndexPage]:
    """Return the pages of one commit's entries (in line order), in order of place and part.

    The same entries give the same pages. `buckets` names the bucket count of each day.
    """
    by_place: dict[tuple[date, int], list[IndexEntry]] = {}
    for entry in entries:
        bucket = entity_bucket(entry.entity_id, buckets[entry.day])
        by_place.setdefault((entry.day, bucket), []).append(entry)
    return [
        page
        for (day, bucket), group in sorted(by_place.items())
        for page in _pages(PagePlace(day, bucket), arrived, group, page_bytes)
    ]


def _pages(
    place: PagePlace, arrived: datetime, group: Sequence[IndexEntry], page_bytes: int
) -> Iterator[IndexPage]:
    bodies = list(_bodies(group, page_bytes))
    for number, (events, body) in enumerate(bodies):
        part = number if len(bodies) > 1 else None
        yield IndexPage(place, arrived, group[0].commit_id, part, events, body)


def _bodies(group: Sequence[IndexEntry], page_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Yield the group's bodies, halved until each fits; one event always fits (about 3 KB)."""
    body = pack_entries(group)
    if len(body) <= page_bytes or len(group) == 1:
        yield len(group), body
        return
    half = len(group) // 2
    yield from _bodies(group[:half], page_bytes)
    yield from _bodies(group[half:], page_bytes)


def pack_entries(entries: Sequence[IndexEntry]) -> bytes:
    """Return the entries of one commit (at least one) as a page's body.

    Columns of differences and of indices into lists of distinct texts compress to about half of
    what rows do; most of what is left is the event ids.

    Raises:
        ValueError: there is no entry, or they are of more than one commit.
    """
    commits = {(entry.shard, entry.first_seq) for entry in entries}
    if len(commits) != 1:
        raise ValueError(f"a page holds the events of one commit, not of {len(commits)}")
    ((shard, first_seq),) = commits
    columns = {
        "v": _VERSION,
        "shard": str(shard),
        "seq": str(first_seq),  # beyond 64 bits
        "id": [entry.event_id for entry in entries],
        "entity": _distinct([entry.entity_id for entry in entries]),
        "type": _distinct([entry.event_type for entry in entries]),
        "source": _distinct([entry.source for entry in entries]),
        "time": _differences([to_epoch_ms(entry.event_time) for entry in entries]),
        "arrival": _differences([to_epoch_ms(entry.arrival_time) for entry in entries]),
        "line": _differences([entry.line for entry in entries]),
        "duplicate": [number for number, entry in enumerate(entries) if entry.duplicate],
    }
    return zlib.compress(orjson.dumps(columns), 9)


def unpack_entries(body: bytes, entity_id: str | None = None) -> list[IndexEntry]:
    """Return the entries in a page's body, in line order; with `entity_id` only that entity's.

    Raises:
        UnknownPage: written by a later release.
    """
    columns = orjson.loads(zlib.decompress(body))
    if columns["v"] != _VERSION:
        raise UnknownPage(f"an index page of version {columns['v']}; update millrace to read it")
    entities, entity_of = columns["entity"]
    if entity_id is None:
        wanted: Iterable[int] = range(len(entity_of))
    elif entity_id in entities:
        number = entities.index(entity_id)
        wanted = [row for row, entity in enumerate(entity_of) if entity == number]
    else:
        return []
    return list(_entries(columns, wanted))


def _entries(columns: Mapping[str, Any], wanted: Iterable[int]) -> Iterator[IndexEntry]:
    shard, first_seq = ShardKey.parse(columns["shard"]), int(columns["seq"])
    times, arrivals, lines = (
        list(accumulate(columns[name])) for name in ("time", "arrival", "line")
    )
    texts = {name: columns[name] for name in ("entity", "type", "source")}
    duplicates = set(columns["duplicate"])
    for row in wanted:
        entity, event_type, source = (values[of[row]] for values, of in texts.values())
        yield IndexEntry(
            event_id=columns["id"][row],
            entity_id=entity,
            event_time=from_epoch_ms(times[row]),
            event_type=event_type,
            source=source,
            arrival_time=from_epoch_ms(arrivals[row]),
            shard=shard,
            first_seq=first_seq,
            line=lines[row],
            duplicate=row in duplicates,
        )


def _distinct(values: Sequence[str]) -> tuple[list[str], list[int]]:
    """Return the distinct values in order of first appearance, and each value's place in them."""
    places = {value: number for number, value in enumerate(dict.fromkeys(values))}
    return list(places), [places[value] for value in values]


def _differences(values: Sequence[int]) -> list[int]:
    return [now - before for before, now in zip([0, *values], values, strict=False)]
