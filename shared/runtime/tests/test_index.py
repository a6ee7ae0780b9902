"""Index pages: what goes in comes out, under keys and with bytes that never vary."""

import zlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.commit import ShardKey
from millrace.index import (
    IndexEntry,
    UnknownPage,
    days_within,
    entity_bucket,
    pack_entries,
    pages_of,
    unpack_entries,
)
from millrace.times import from_epoch_ms
from millrace_testing.builders import ARRIVAL, index_entry

GOLDEN = [15, 10, 4, 11]
BIG_SEQ = 49581544954143914480256700934210366840104395343224897586  # 56 digits, from a real stream
SHARD = ShardKey("1a2b3c4d", "shardId-000000000003")
instants = st.integers(-62_135_596_800_000, 253_402_300_799_999).map(from_epoch_ms)
texts = st.text(min_size=1, max_size=20)
entries = st.builds(
    IndexEntry,
    event_id=texts,
    entity_id=texts | st.sampled_from(["a", "b"]),
    event_time=instants,
    event_type=texts,
    source=st.from_regex(r"[a-z0-9_.-]{1,64}", fullmatch=True),
    arrival_time=instants,
    shard=st.just(SHARD),
    first_seq=st.just(BIG_SEQ),
    line=st.integers(0, 10_000),
    duplicate=st.booleans(),
)
commits = st.lists(entries, min_size=1, max_size=30)


@given(commits)
def test_a_page_is_read_back_whole(commit):
    """Any entries of one commit survive, in their order; the same entries give the same bytes."""
    body = pack_entries(commit)
    assert unpack_entries(body) == commit
    assert pack_entries(list(commit)) == body


@given(commits, st.integers(0, 29))
def test_one_entity_is_picked_out(commit, number):
    """Asked for one entity, a page gives its entries alone; for a stranger none."""
    entity = commit[number % len(commit)].entity_id
    mine = [entry for entry in commit if entry.entity_id == entity]
    assert unpack_entries(pack_entries(commit), entity) == mine
    assert unpack_entries(pack_entries(commit), "stranger" * 5) == []


@given(commits, st.integers(1, 40), st.sampled_from([1, 400, 300_000]))
def test_each_entry_is_in_one_page_of_its_place(commit, buckets, page_bytes):
    """However pages are cut, each entry is in exactly one, that of its bucket and event day."""
    counts = {entry.day: buckets for entry in commit}
    pages = pages_of(commit, ARRIVAL, counts, page_bytes)
    found = [(page, entry) for page in pages for entry in unpack_entries(page.body)]
    assert sorted(entry.order for _, entry in found) == sorted(each.order for each in commit)
    for page, entry in found:
        assert page.place.day == entry.day
        assert page.place.bucket == entity_bucket(entry.entity_id, buckets)
        assert page.commit_id == entry.commit_id
    assert len({(page.place, page.part) for page in pages}) == len(pages)
    assert sum(page.events for page in pages) == len(commit)
    assert pages_of(commit, ARRIVAL, counts, page_bytes) == pages


def test_a_page_that_is_too_large_is_cut():
    """Parts are numbered from 0 in line order and each fits; a page that fits has no number."""
    commit = [
        index_entry(n, entity_id="e", event_time=ARRIVAL, line=n, event_id=f"{n * 7919:032x}")
        for n in range(1000)
    ]
    (whole,) = pages_of(commit, ARRIVAL, {ARRIVAL.date(): 16})
    assert whole.part is None
    parts = pages_of(commit, ARRIVAL, {ARRIVAL.date(): 16}, page_bytes=2000)
    assert [page.part for page in parts] == list(range(len(parts)))
    assert all(len(page.body) <= 2000 for page in parts)
    assert [entry for page in parts for entry in unpack_entries(page.body)] == commit


def test_the_largest_events_fit():
    """A commit of the longest ids that the contract allows stays below DynamoDB's item limit."""
    wave = "\N{WATER WAVE}"
    commit = [
        index_entry(
            n,
            entity_id="e",
            event_time=ARRIVAL,
            event_id="".join(chr(0x10000 + (n * 131 + k * k * 7919) % 50_000) for k in range(128)),
            event_type=wave * 128,
            line=n,
        )
        for n in range(2000)
    ]
    pages = pages_of(commit, ARRIVAL, {ARRIVAL.date(): 16})
    assert len(pages) > 1
    assert max(len(page.body) for page in pages) < 400_000 - 2000


def test_entries_of_two_commits_are_refused():
    """A page belongs to one commit; nothing and a mixture are errors."""
    with pytest.raises(ValueError, match="not of 0"):
        pack_entries([])
    with pytest.raises(ValueError, match="not of 2"):
        pack_entries([index_entry(), index_entry(first_seq=200)])


def test_a_page_of_a_later_release_is_named():
    """An unknown format stops the reader instead of being misread."""
    with pytest.raises(UnknownPage, match="version 2"):
        unpack_entries(zlib.compress(orjson.dumps({"v": 2})))


def test_buckets_are_the_same_everywhere():
    """Golden values: an entity must be found where an earlier release put it."""
    golden = [entity_bucket(each, 16) for each in ("user_1", "Чръный человек", "a#b/c", "")]
    assert golden == GOLDEN
    assert [entity_bucket("user_1", 1), entity_bucket("user_1", 1024) % 16] == [0, GOLDEN[0]]


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2025-12-28T00:00:00Z", "2025-12-29T00:00:00Z", ["2025-12-28"]),
        ("2025-12-28T23:59:59Z", "2025-12-29T00:00:01Z", ["2025-12-28", "2025-12-29"]),
        ("2025-12-28T01:00:00+02:00", "2025-12-28T03:00:00+02:00", ["2025-12-27", "2025-12-28"]),
        ("2025-12-28T00:00:00Z", "2025-12-28T00:00:00Z", []),
        ("2025-12-29T00:00:00Z", "2025-12-28T00:00:00Z", []),
    ],
)
def test_the_days_of_a_window(start, end, days):
    """A half-open window touches the UTC days it has an instant of."""
    window = (datetime.fromisoformat(each) for each in (start, end))
    assert days_within(*window) == [date.fromisoformat(each) for each in days]


def test_the_order_is_total():
    """Entries of one instant are told apart by arrival, shard, commit and line, as numbers."""
    first = index_entry(first_seq=99, line=9, event_time=datetime(1969, 1, 1, tzinfo=UTC))
    ordered = [
        first,
        replace(first, line=10),
        replace(first, first_seq=100, line=0),
        replace(first, shard=SHARD, first_seq=1),
        replace(first, arrival_time=ARRIVAL + timedelta(milliseconds=1), line=0),
        replace(first, event_time=ARRIVAL, line=0),
    ]
    shuffled = [ordered[n] for n in (5, 2, 0, 4, 1, 3)]
    assert sorted(shuffled, key=lambda entry: entry.order) == ordered
