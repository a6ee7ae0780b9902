"""What every event index promises: `millrace.ports.IndexWriter` and `IndexPages`."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

import pytest

from millrace.commit import ShardKey
from millrace.index import IndexEntry, pages_of, unpack_entries
from millrace.index_reading import EntityEvents, InvalidPageToken
from millrace.ports import IndexPages, IndexWriter
from millrace_testing.builders import index_entry

DAY = datetime(2025, 12, 27, tzinfo=UTC)
SPAN = DAY, DAY + timedelta(days=3)


class Index(IndexWriter, IndexPages, Protocol):
    """Both faces of the index."""


NewIndex = Callable[[int], Index]
"""Return an index on the same storage, with this many buckets as its setting."""


def store(index: Index, entries: list[IndexEntry], page_bytes: int = 300_000) -> None:
    """Write the entries of one commit as enrich does."""
    buckets = index.settled_buckets({entry.day for entry in entries})
    index.write(pages_of(entries, min(each.arrival_time for each in entries), buckets, page_bytes))


class IndexContract:
    """Subclasses provide the fixture `new_index`: each call of it sees the same storage."""

    def test_the_first_count_of_a_day_stays(self, new_index: NewIndex) -> None:
        """Whoever names a day's bucket count first names it for good; other days are free."""
        first, second = DAY.date(), DAY.date() + timedelta(days=1)
        assert new_index(4).bucket_counts([first]) == {}
        assert new_index(4).settled_buckets([first]) == {first: 4}
        later = new_index(9)
        for _ in range(2):
            assert later.settled_buckets([first, second]) == {first: 4, second: 9}
        assert later.bucket_counts([second, first, date(1999, 1, 1)]) == {first: 4, second: 9}

    def test_many_days_at_once(self, new_index: NewIndex) -> None:
        """More days than one call takes are all counted."""
        days = [DAY.date() - timedelta(days=n) for n in range(230)]
        index = new_index(16)
        assert index.settled_buckets(days[:120]) == dict.fromkeys(days[:120], 16)
        assert new_index(3).bucket_counts(days) == dict.fromkeys(days[:120], 16)

    def test_pages_come_back_in_order_of_arrival(self, new_index: NewIndex) -> None:
        """A partition's pages are in order of arrival, whatever order they were written in."""
        index = new_index(1)
        for seq, minute in ((300, 3), (100, 1), (200, 2)):
            arrived = DAY + timedelta(minutes=minute)
            store(index, [index_entry(first_seq=seq, event_time=DAY, arrival_time=arrived)])
        found = [unpack_entries(body)[0].first_seq for body in index.bodies(DAY.date(), 0)]
        assert found == [100, 200, 300]

    def test_writing_again_changes_nothing(self, new_index: NewIndex) -> None:
        """A second attempt at a commit changes no answer, even if it cuts the pages otherwise."""
        entries = [index_entry(n, line=n) for n in range(60)]
        for buckets, page_bytes in ((5, 300), (7, 300), (5, 300_000)):
            store(new_index(buckets), entries, page_bytes)
        reader = EntityEvents(new_index(11))
        for entity in {entry.entity_id for entry in entries}:
            found = list(reader.all_events_of(entity, *SPAN))
            mine = [entry for entry in entries if entry.entity_id == entity]
            assert found == sorted(mine, key=lambda entry: entry.order)

    def test_events_are_in_order_of_their_time(self, new_index: NewIndex) -> None:
        """Over days and commits events come in order; the window is half-open."""
        index = new_index(16)
        hours = [30, 5, 5, 47, 24, 0, 48, 71, 72, 23]
        for number, hour in enumerate(hours):
            at = DAY + timedelta(hours=hour)
            shard = ShardKey("1a2b3c4d", f"shardId-{number % 3:012d}")
            place = {"event_time": at, "shard": shard, "first_seq": 100 + number}
            store(
                index,
                [
                    index_entry(number, **place, entity_id="e", line=0),
                    index_entry(number, **place, entity_id="other", line=1),
                ],
            )
        reader = EntityEvents(index)
        found = list(reader.all_events_of("e", *SPAN))
        assert [(each.event_time - DAY) // timedelta(hours=1) for each in found] == [
            0, 5, 5, 23, 24, 30, 47, 48, 71,
        ]  # fmt: skip
        assert {each.entity_id for each in found} == {"e"}
        window = DAY + timedelta(hours=5), DAY + timedelta(hours=24)
        assert len(list(reader.all_events_of("e", *window))) == 3
        assert list(reader.all_events_of("e", DAY, DAY)) == []
        assert list(reader.all_events_of("nobody", *SPAN)) == []

    def test_duplicates_are_listed_on_request(self, new_index: NewIndex) -> None:
        """A duplicate is left out unless asked for; then it follows the event it repeats."""
        index = new_index(16)
        at = {"entity_id": "e", "event_time": DAY}
        store(index, [index_entry(1, **at)])
        store(index, [index_entry(1, **at, first_seq=200, duplicate=True)])
        reader = EntityEvents(index)
        assert [each.duplicate for each in reader.all_events_of("e", *SPAN)] == [False]
        both = reader.all_events_of("e", *SPAN, include_duplicates=True)
        assert [each.duplicate for each in both] == [False, True]

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
    def test_pages_make_up_the_whole(self, new_index: NewIndex, limit: int) -> None:
        """Page by page the same events come in the same order, none twice, none left out."""
        index = new_index(4)
        entries = [
            index_entry(n, entity_id="e", event_time=DAY + timedelta(hours=n % 5 * 17), line=n)
            for n in range(12)
        ]
        store(index, entries)
        reader = EntityEvents(index)
        found: list[IndexEntry] = []
        token: str | None = None
        for _ in range(20):
            page = reader.events_of("e", *SPAN, page_token=token, limit=limit)
            assert len(page.entries) <= limit
            found += page.entries
            token = page.next_token
            if token is None:
                break
        assert token is None
        assert found == list(reader.all_events_of("e", *SPAN))
        assert len(found) == 12

    def test_what_comes_while_paging(self, new_index: NewIndex) -> None:
        """A new event behind the token is on a later page; one in front of it disturbs nothing."""
        index = new_index(4)
        times = [DAY + timedelta(minutes=n) for n in (10, 20, 30)]
        store(
            index,
            [index_entry(n, entity_id="e", event_time=at, line=n) for n, at in enumerate(times)],
        )
        reader = EntityEvents(index)
        first = reader.events_of("e", *SPAN, limit=2)
        for number, minutes in ((8, 15), (9, 25)):
            at = DAY + timedelta(minutes=minutes)
            store(index, [index_entry(number, entity_id="e", event_time=at, first_seq=900)])
        rest = reader.events_of("e", *SPAN, page_token=first.next_token, limit=9)
        assert [each.event_id for each in rest.entries] == ["event-9", "event-2"]

    def test_a_token_is_good_for_its_query_alone(self, new_index: NewIndex) -> None:
        """A token of another query, and what is no token, is refused by name."""
        index = new_index(4)
        store(index, [index_entry(n, entity_id="e", event_time=DAY, line=n) for n in range(3)])
        reader = EntityEvents(index)
        token = reader.events_of("e", *SPAN, limit=1).next_token
        assert token is not None
        with pytest.raises(InvalidPageToken, match="another query"):
            reader.events_of("f", *SPAN, page_token=token)
        with pytest.raises(InvalidPageToken, match="another query"):
            reader.events_of("e", *SPAN, page_token=token, include_duplicates=True)
        for text in ("", "x", token[:-3], "\N{SNOWMAN}", "W10", "bnVsbA"):
            with pytest.raises(InvalidPageToken, match="malformed"):
                reader.events_of("e", *SPAN, page_token=text)
        with pytest.raises(ValueError, match="limit"):
            reader.events_of("e", *SPAN, limit=0)
