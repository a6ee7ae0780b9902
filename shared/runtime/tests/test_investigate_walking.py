"""Walking commits by arrival: whole, in parts, and from a cursor on."""

from datetime import timedelta
from itertools import pairwise

import pytest

from millrace.commit import Checkpoint, ShardKey
from millrace.investigate.errors import InvalidQuestion
from millrace.investigate.walking import Period, Walk
from millrace.read_cost import Bound, Budget
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes
from millrace_testing.fakes import FakeLedger, FixedClock
from millrace_testing.investigation import FakeCommitPages, arrived, unbounded

SHARDS = (SHARD, ShardKey(SHARD.incarnation, "shardId-000000000001"))
PERIOD = Period(ARRIVAL + timedelta(minutes=2), ARRIVAL + timedelta(minutes=8))


@pytest.fixture
def commits() -> FakeCommitPages:
    """Ten commits on each of two shards, a minute apart, in pages of two."""
    ledger = FakeLedger()
    for shard in SHARDS:
        for minute in range(10):
            commit, _ = commit_of([event_bytes(minute)], shard=shard, first_seq=100 + minute)
            before = ledger.read(shard)
            at = ARRIVAL + timedelta(minutes=minute)
            ledger.commit(before, Checkpoint(before.version + 1), arrived(commit, at))
    return FakeCommitPages(ledger, page_commits=2)


def places(walk):
    return [(each.head.shard.shard_id[-1], each.head.first_seq) for each in walk]


def test_a_period_is_one_range_of_each_shard(commits):
    """The start is in it, the end is not."""
    walk = Walk(commits, PERIOD, unbounded())
    assert places(walk) == [(shard, 100 + n) for shard in "01" for n in range(2, 8)]
    assert walk.coverage.as_json() == PERIOD.as_json() | {
        "commits": 12, "complete": True, "ended_by": None, "cursor": None,
    }  # fmt: skip


def test_adjoining_periods_share_no_commit(commits):
    """Every commit is in exactly one of them."""
    cuts = [ARRIVAL + timedelta(seconds=seconds) for seconds in (0, 60, 61, 300, 3600)]
    found = [
        place
        for start, end in pairwise(cuts)
        for place in places(Walk(commits, Period(start, end), unbounded()))
    ]
    assert sorted(found) == [(shard, 100 + n) for shard in "01" for n in range(10)]


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_a_walk_in_parts_sees_what_a_whole_one_sees(commits, pages):
    """Each part ends at its budget with a cursor; the cursors lead through all of it, once."""
    found, cursor, parts = [], None, 0
    while True:
        budget = Budget(commits.cost, FixedClock(ARRIVAL), max_pages=pages)
        walk = Walk(commits, PERIOD, budget, cursor=cursor)
        found += places(walk)
        parts += 1
        cursor = walk.coverage.cursor
        if cursor is None:
            break
        assert walk.coverage.ended_by is Bound.PAGES
    assert found == places(Walk(commits, PERIOD, unbounded()))
    assert parts > 1


def test_a_deadline_ends_a_walk_too(commits):
    """With what was read by then, and a way on."""
    budget = Budget(commits.cost, FixedClock(ARRIVAL), deadline=ARRIVAL)
    walk = Walk(commits, PERIOD, budget)
    assert 0 < len(places(walk)) < 12
    assert walk.coverage.ended_by is Bound.TIME
    assert walk.coverage.cursor is not None


@pytest.mark.parametrize(
    "cursor", ["", "x", "WzFd", "ü", "WzEsImEiLCJiIiwiYyJd", "WzEsImEiLCJiIiwiLTEiXQ"]
)
def test_a_made_up_cursor_is_refused(commits, cursor):
    """The error names the field and the remedy."""
    with pytest.raises(InvalidQuestion, match="cursor: it is malformed"):
        Walk(commits, PERIOD, unbounded(), cursor=cursor)


def test_a_cursor_is_good_for_its_period_alone(commits):
    """Of another period it is refused, not obeyed."""
    walk = Walk(commits, PERIOD, Budget(commits.cost, FixedClock(ARRIVAL), max_pages=1))
    list(walk)
    other = Period(PERIOD.start, PERIOD.end + timedelta(minutes=1))
    with pytest.raises(InvalidQuestion, match="of another period"):
        Walk(commits, other, unbounded(), cursor=walk.coverage.cursor)


def test_a_period_that_ends_before_it_begins_is_refused():
    """Naming the bound."""
    with pytest.raises(InvalidQuestion, match=r"to: .* is not after from"):
        Period(ARRIVAL, ARRIVAL)
