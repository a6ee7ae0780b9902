"""Making a plan, on fakes: from the index's pages to the messages that apply sends."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest

from millrace.commit import Checkpoint, CommittedLine, ShardKey
from millrace.definitions import parse
from millrace.errors import CommitMissing
from millrace.index import IndexEntry, pages_of
from millrace.keys import definitions_key
from millrace.raw_lines import unpack
from millrace.replay.errors import InvalidRequest
from millrace.replay.plan import Plan
from millrace.replay.planned import PlannedEvent
from millrace.replay.planning import MetricDefinitions, Planner
from millrace.replay.selection import Selection, SelectionTooLarge
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes, index_entry
from millrace_testing.fakes import FakeIndex, FakeLedger, FakeObjects, FixedClock
from millrace_testing.metrics import metric
from millrace_testing.replays import FakeReplays

TOML = metric("n", dimensions=("type", "entity"))
METRICS = MetricDefinitions(parse(TOML, "metrics.toml"), TOML)
OTHER = ShardKey("1a2b3c4d", "shardId-000000000001")
WHOLE = Selection(ARRIVAL - timedelta(days=2), ARRIVAL)
PER_COMMIT = 40
REPEAT = 7
"""This line of each commit repeats an earlier event."""


class World:
    """Three commits of two shards, over two days, as ingest and enrich leave them."""

    def __init__(self, order: Sequence[int] = (0, 1, 2), buckets: int = 4) -> None:
        self.index, self.ledger, self.objects = FakeIndex(buckets), FakeLedger(), FakeObjects()
        self.replays, self.clock = FakeReplays(), FixedClock(ARRIVAL)
        for number in order:
            self._commit(number)
        self.planner = Planner(
            self.index, self.ledger, self.objects, self.replays, self.clock, chunk_messages=25
        )

    def _commit(self, number: int) -> None:
        shard = OTHER if number == 1 else SHARD
        first_seq = (9, 50, 100)[number]
        lines = [event_bytes(n, payload={"x": str(n) * 1_500}) for n in range(PER_COMMIT)]
        repeat = CommittedLine(first_seq + REPEAT, 0, 0)
        commit, body = commit_of(
            lines, shard=shard, first_seq=first_seq, duplicates={REPEAT: repeat}
        )
        self.objects.put_new(str(commit.head.raw_key), body)
        assert self.ledger.commit(self.ledger.read(shard), Checkpoint(number + 1, 0, ()), commit)
        entries = [entry_of(number, line, shard, first_seq) for line in range(PER_COMMIT)]
        days = self.index.settled_buckets({each.day for each in entries})
        self.index.write(pages_of(entries, ARRIVAL, days))

    def plan(self, selection: Selection = WHOLE, rate: int = 10, **fields) -> Plan:
        return self.planner.plan(replace(selection, **fields), METRICS, "ana", rate)

    def messages(self, plan: Plan) -> list[PlannedEvent]:
        lines = [line for chunk in plan.chunks for line in unpack(self.objects.get(chunk.key))]
        return [PlannedEvent.from_line(line) for line in lines]


def entry_of(commit: int, line: int, shard: ShardKey, first_seq: int) -> IndexEntry:
    number = commit * PER_COMMIT + line
    return index_entry(
        number,
        shard=shard,
        first_seq=first_seq,
        line=line,
        duplicate=line == REPEAT,
        source=("web", "app")[line % 2],
        event_type=("view", "buy", "buy")[line % 3],
        event_time=ARRIVAL - timedelta(hours=line + 1),
    )


@pytest.fixture
def world() -> World:
    return World()


ALL = [entry_of(n, line, (SHARD, OTHER, SHARD)[n], (9, 50, 100)[n])
       for n in range(3) for line in range(PER_COMMIT)]  # fmt: skip


@pytest.mark.parametrize(
    "selectors",
    [
        {},
        {"include_duplicates": True},
        {"entity_id": "user_3"},
        {"source": "app"},
        {"event_type": "buy"},
        {"entity_id": "user_3", "source": "app", "event_type": "view"},
        {"start": ARRIVAL - timedelta(hours=12), "end": ARRIVAL - timedelta(hours=3)},
        {"entity_id": "user_3", "start": ARRIVAL - timedelta(hours=30)},
    ],
)
def test_a_plan_holds_exactly_what_is_selected(world, selectors):
    """By entity, source, type, time, all of them or none; and says what it comes to."""
    selection = replace(WHOLE, **selectors)
    plan = world.plan(selection)
    wanted = [each for each in ALL if selection.wants(each)]
    messages = world.messages(plan)
    assert {each.event_id for each in messages} == {each.event_id for each in wanted}
    assert len(messages) == len(wanted) == plan.events == plan.messages > 0
    assert plan.duplicates == sum(each.duplicate for each in wanted)
    assert plan.first_event == min(each.event_time for each in wanted)
    assert plan.last_event == max(each.event_time for each in wanted)
    assert plan.objects == len({each.key for each in messages})
    members = {(each.key, each.offset): each.length for each in messages}
    assert (plan.members, plan.read_bytes) == (len(members), sum(members.values()))
    assert [each.messages for each in plan.chunks[:-1]] == [25] * (len(plan.chunks) - 1)


def test_messages_come_in_order_of_their_places(world):
    """Those of one member follow each other, so that it is fetched once."""
    messages = world.messages(world.plan())
    places = [(each.key, each.offset, each.line) for each in messages]
    members = [place[:2] for place in places]
    assert len(set(members)) > 3
    changes = sum(a != b for a, b in pairwise(members))
    assert changes == len(set(members)) - 1
    for key in {key for key, _, _ in places}:
        mine = [place for place in places if place[0] == key]
        assert mine == sorted(mine)


def test_a_message_names_the_event_of_its_line(world):
    """What is read there is the event that was indexed."""
    for event in world.messages(world.plan()):
        member = world.objects.get_range(event.key, event.offset, event.length)
        number = int(event.event_id.removeprefix("event-")) % PER_COMMIT
        assert unpack(member)[event.line] == event_bytes(number, payload={"x": str(number) * 1_500})


def test_the_plan_is_stored_with_its_definitions(world):
    """Apply runs exactly it, later and elsewhere."""
    plan = world.plan()
    assert world.replays.plan(plan.plan_id) == plan
    assert Plan.from_fields(plan.to_fields()) == plan
    assert world.objects.get(definitions_key(plan.defs_version)) == TOML
    assert plan.plan_id.startswith("20251228T093000Z-")
    assert (plan.created_by, plan.created_at) == ("ana", ARRIVAL)
    assert [each["metric"] for each in plan.coverage["metrics"]] == ["n", "n"]
    assert plan.estimate.seconds == plan.events / 10


@pytest.mark.parametrize("buckets", [1, 4, 16])
def test_the_same_history_gives_the_same_hash(world, buckets):
    """However it was indexed and in whatever order it came."""
    order = [0, 1, 2]
    Random(buckets).shuffle(order)
    other = World(order, buckets)
    other.clock.advance(timedelta(days=1))
    mine, theirs = world.plan(), other.plan(rate=99)
    assert mine.plan_id != theirs.plan_id
    assert mine.plan_hash == theirs.plan_hash
    assert world.plan(source="web").plan_hash != mine.plan_hash


def test_an_event_that_the_index_names_twice_is_sent_once(world):
    """Pages written under two bucket counts, say."""
    once = world.plan()
    for place, pages in list(world.index.pages.items()):
        world.index.pages[place] = pages | {
            (at, commit, 99): page for (at, commit, _), page in pages.items()
        }
    assert world.plan().plan_hash == once.plan_hash


@pytest.mark.validation
def test_a_larger_selection_is_refused(world):
    """The message says what to do; nothing is stored. At the limit it is planned."""
    with pytest.raises(SelectionTooLarge, match=r"more than 116 .*(narrow|limit).*none"):
        world.plan(limit=116)
    assert world.replays.plans == {}
    assert world.objects.keys("replays/") == []
    assert world.plan(limit=117).events == 117
    assert world.plan(limit=None).events == 117


@pytest.mark.validation
@pytest.mark.parametrize("rate", [0, -1])
def test_a_rate_of_nothing_is_refused(world, rate):
    """Before anything is read."""
    with pytest.raises(InvalidRequest, match="rate"):
        world.plan(rate=rate)


def test_a_selection_of_nothing_is_a_plan_of_nothing(world):
    """It can be stored and applied like any other."""
    for plan in (world.plan(entity_id="nobody"), world.plan(end=WHOLE.start + timedelta(hours=1))):
        assert (plan.events, plan.chunks, plan.first_event, plan.read_bytes) == (0, (), None, 0)
        assert Plan.from_fields(plan.to_fields()) == plan


def test_only_what_is_written_is_held(world):
    """One commit and one chunk at a time: pages are read lazily, and told of as they come."""
    told: list[int] = []
    world.planner.plan(WHOLE, METRICS, "ana", 10, told.append)
    assert told == list(range(1, 118))
    lazily = world.planner.selected(WHOLE)
    world.index.bodies = _refuse
    with pytest.raises(AssertionError, match="read now"):
        next(lazily)


def _refuse(day, bucket):
    raise AssertionError("read now")


def test_an_entity_is_looked_for_in_its_bucket_alone(world):
    """Not in every partition of the day."""
    read: list[tuple[object, int]] = []
    real = world.index.bodies
    world.index.bodies = lambda day, bucket: read.append((day, bucket)) or real(day, bucket)
    world.plan(entity_id="user_3")
    assert len(read) == len({day for day, _ in read}) == len(world.index.counts)
    read.clear()
    world.plan()
    assert len(read) == 4 * len(world.index.counts)


def test_an_index_that_names_what_is_not_there_is_an_error(world):
    """There is no plan then: it would miss events without a word."""
    del world.ledger.commits[OTHER, 50]
    with pytest.raises(CommitMissing):
        world.plan()
    assert world.replays.plans == {}
