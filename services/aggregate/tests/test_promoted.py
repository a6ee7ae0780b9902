"""Live rows that speak by the markers of a promoted replay: who is counted, whoever comes when."""

from dataclasses import replace
from datetime import timedelta

import pytest

from aggregate.adapters.counters import DynamoCounters
from aggregate.adapters.marks import PartMarks
from aggregate.domain.hot import HotScopes
from aggregate.domain.packing import Counter, Part
from aggregate.domain.units import CommitUnit
from millrace.aggregates import LIVE, AggregateKey, AggregateRow, Dimension, Scope, Version
from millrace.aws.aggregates import PROMOTED_VERSION, row_key
from millrace.aws.ledger_items import from_attributes, head_key, to_attributes
from millrace.counting.deltas import Delta, Marker
from millrace.errors import RetryableError
from millrace.windows import WindowWidth, window_of
from millrace_testing.builders import ARRIVAL, SHARD

pytestmark = pytest.mark.aggregation

V = Version("1766914200")
VIEWS = Scope.of(Dimension.TYPE, "view")
USERS = AggregateKey(VIEWS, window_of(ARRIVAL, WindowWidth.DAY), "users")


def promote(world, counted, entities):
    """Do what promoting does to the day's row of users."""
    world.counters.rows[USERS] = counted
    world.counters.promotions[USERS] = V
    moved = AggregateKey(USERS.scope, USERS.window, USERS.metric, V)
    world.markers.owner_of |= {Marker(moved, each): "a replayed event" for each in entities}


def users(world):
    return world.row("users", Dimension.TYPE, "view").value


@pytest.fixture
def promoted(world, new_events):
    """Seven users live; the replay that was promoted counted five of them."""
    world.run(world.commit(100, new_events(range(7), event_type="view")))
    entities = [event.entity_id for event in new_events(range(5))]
    promote(world, AggregateRow(USERS, 5, 5, 55, (), "d", ARRIVAL), entities)
    return world


def test_users_of_the_replay_are_not_counted_again(promoted, new_events):
    """Those that the promotion took out of the row are new, once."""
    for seq in (200, 300):
        promoted.run(promoted.commit(seq, new_events(range(7), event_type="view")))
    assert users(promoted) == 7
    assert promoted.row("users", Dimension.TYPE, "view").event_count == 5 + 14


def test_what_was_counted_before_claims_nothing_after(promoted, new_events):
    """A late attempt at a commit counted before the promotion takes no user from those to come."""
    commit = promoted.commit(200, new_events(range(7), event_type="view"))
    promoted.counters.promotions.clear()
    promoted.run(commit)
    promote(promoted, AggregateRow(USERS, 5, 5, 55, (), "d", ARRIVAL), [])
    at = (SHARD, 200)
    there = promoted.ledger.commits[at]
    promoted.ledger.commits[at] = replace(there, head=replace(there.head, marks={}))
    again = promoted.run(commit)
    assert again.parts_done_before == again.parts
    promoted.run(promoted.commit(300, new_events(range(7), event_type="view")))
    assert users(promoted) == 7


def test_a_row_promoted_meanwhile_refuses_and_the_reference_comes_again(world, new_events):
    """Claims under the former markers count for nothing; under the replay's they are made anew."""
    world.run(world.commit(100, new_events(range(7), event_type="view")))
    promoted_row = AggregateRow(USERS, 5, 5, 55, (), "d", ARRIVAL)
    entities = [event.entity_id for event in new_events(range(5))]
    world.counters.after_promoted_read = lambda: promote(world, promoted_row, entities)
    commit = world.commit(200, new_events(range(6), event_type="view"))
    with pytest.raises(RetryableError, match="promoted"):
        world.run(commit)
    assert users(world) == 5
    world.counters.after_promoted_read = lambda: None
    world.run(commit)
    assert users(world) == 6


@pytest.fixture
def dynamo(moto_db, world):
    """Counters on moto; the day's scope is hot."""
    marks = PartMarks(moto_db.client, "commits-1", "markers-1", world.clock, timedelta(days=90))
    return DynamoCounters(
        moto_db.client, "aggregates-1", marks, world.clock,
        hot=HotScopes(frozenset({VIEWS}), 4), sleep=lambda _: None,
    )  # fmt: skip


def part(moto_db, seq, markers_of):
    unit = CommitUnit(f"c{seq}", SHARD, seq)
    moto_db.client.put_item(TableName="commits-1", Item=head_key(SHARD, seq))
    delta = Delta(1, 1, 7, ("event-1",), markers_of)
    return Part(unit, 0, (Counter(USERS, delta),), "d")


def stored(moto_db):
    found = moto_db.client.scan(TableName="aggregates-1")["Items"]
    return {row["SK"].rpartition("users")[2]: row for row in map(from_attributes, found)}


def test_the_row_s_condition_decides(moto_db, dynamo):
    """Nothing is added to a promoted row by its former markers, nor to another by a replay's."""
    item = row_key(USERS) | to_attributes({PROMOTED_VERSION: V, "value": 5, "event_count": 5})
    moto_db.client.put_item(TableName="aggregates-1", Item=item)
    assert dynamo.promoted([USERS]) == {USERS: V}
    mine = part(moto_db, 1, V)
    dynamo.add_once([mine])
    assert dynamo.is_settled(mine)
    assert (stored(moto_db)[""]["value"], set(stored(moto_db))) == (6, {""})
    with pytest.raises(RetryableError, match="promoted"):
        dynamo.add_once([part(moto_db, 2, Version("1"))])
    moto_db.client.delete_item(TableName="aggregates-1", Key=row_key(USERS))
    assert dynamo.promoted([USERS]) == {}
    with pytest.raises(RetryableError, match="promoted"):
        dynamo.add_once([part(moto_db, 3, V)])
    dynamo.add_once([part(moto_db, 4, LIVE)])
    assert [row["value"] for row in stored(moto_db).values()] == [1]
