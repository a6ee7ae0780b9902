"""Plans, their messages and what they are reckoned to take."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.aggregates import Version
from millrace.commit import ShardKey
from millrace.definitions import CountMetric, UniqueMetric
from millrace.raw_lines import unpack
from millrace.replay.errors import PlanBroken
from millrace.replay.estimate import Reckoning
from millrace.replay.message import ReplayMessage
from millrace.replay.plan import Chunk, Estimate, Plan, chunk_of
from millrace.replay.planned import PlannedEvent
from millrace.replay.selection import Selection
from millrace.replay.sorting import SortedEntries
from millrace.stored import LineMissing
from millrace.windows import WindowWidth
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes, index_entry
from millrace_testing.replays import replay_plan

PLAN = replay_plan(
    selection=Selection(ARRIVAL - timedelta(hours=1), ARRIVAL, entity_id="ana", limit=None),
    events=3,
    duplicates=1,
    objects=2,
    members=2,
    read_bytes=512,
    first_event=ARRIVAL - timedelta(minutes=9),
    last_event=ARRIVAL - timedelta(minutes=1),
    chunks=(Chunk("replays/p/0", 2, "aa"), Chunk("replays/p/1", 1, "bb")),
    coverage={"windows": [], "metrics": [{"metric": "n"}]},
    estimate=Estimate(0.03, 0.000_01, 24.0),
)


def test_a_plan_survives_its_json():
    """Every field comes back, of an empty plan too."""
    assert Plan.from_fields(PLAN.to_fields()) == PLAN
    assert Plan.from_fields(replay_plan().to_fields()) == replay_plan()
    assert PLAN.to_fields()["messages"] == PLAN.messages == 3


def test_the_hash_names_what_will_be_run():
    """Another message, selection or definition changes it; who, when and how fast do not."""
    other = [
        replace(PLAN, chunks=PLAN.chunks[:1]),
        replace(PLAN, chunks=PLAN.chunks[::-1]),
        replace(PLAN, chunks=(PLAN.chunks[0], Chunk("replays/p/1", 1, "bc"))),
        replace(PLAN, defs_version="f" * 16),
        replace(PLAN, selection=replace(PLAN.selection, include_duplicates=True)),
    ]
    assert len({PLAN.plan_hash, *(each.plan_hash for each in other)}) == 6
    moved = tuple(replace(each, key=f"other/{each.key}") for each in PLAN.chunks)
    same = [
        PLAN.at_rate(7, Estimate(1.0, 2.0, 3.0)),
        replace(PLAN, plan_id="q", created_by="bo", created_at=ARRIVAL, chunks=moved),
    ]
    assert {each.plan_hash for each in same} == {PLAN.plan_hash}
    assert (same[0].rate, same[0].estimate.usd) == (7, 2.0)


@pytest.mark.validation
@pytest.mark.parametrize(
    "changed",
    [{"defs_version": "0"}, {"chunks": []}, {"plan_hash": "0" * 16}],
)
def test_a_plan_that_was_changed_is_refused(changed):
    """It is not the one that somebody read and approved."""
    with pytest.raises(PlanBroken, match=PLAN.plan_id):
        Plan.from_fields(PLAN.to_fields() | changed)


def test_a_chunk_knows_its_bytes():
    """One byte more makes it another."""
    first, second = (chunk_of("k", [b"a", b"b"], body) for body in (b"x", b"y"))
    assert (first.messages, first.key) == (2, "k")
    assert first.sha256 != second.sha256


COMMIT, RAW = commit_of([event_bytes(n, payload={"x": "y" * 900 + str(n)}) for n in range(200)])


def test_a_planned_event_finds_its_bytes():
    """Member and line are those of the commit; the member's line is the event."""
    assert len(COMMIT.body.members) > 1
    for line in (0, 1, 150, 199):
        event = PlannedEvent.of(index_entry(line, line=line), COMMIT)
        member = unpack(RAW[event.offset : event.offset + event.length])
        assert member[event.line] == event_bytes(line, payload={"x": "y" * 900 + str(line)})
        assert (event.event_id, event.correlation_id) == (f"event-{line}", "corr-1")
    with pytest.raises(LineMissing):
        PlannedEvent.of(index_entry(line=200), COMMIT)


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20), st.integers(0, 199))
def test_a_planned_event_survives_its_line_and_its_message(event_id, entity_id, line):
    """Whatever ids there are, to the millisecond."""
    entry = index_entry(line=line, event_id=event_id, entity_id=entity_id)
    event = PlannedEvent.of(entry, COMMIT)
    assert b"\n" not in event.to_line()
    assert PlannedEvent.from_line(event.to_line()) == event
    message = event.message("data", "r1", Version("17"))
    assert ReplayMessage.parse(message.to_json()) == message
    assert (message.s3_bucket, message.replay_id, message.version) == ("data", "r1", "17")
    assert (message.s3_key, message.member[1:]) == (event.key, (event.offset, event.length))


def test_entries_come_back_in_order_of_their_places():
    """By shard, sequence number as a number, and line; each line once, all of it as it was."""
    other = ShardKey("1a2b3c4d", "shardId-000000000001")
    entries = [
        index_entry(line, shard=shard, first_seq=seq, line=line, duplicate=line == 2,
                    event_id=f"e\0{line}", event_time=ARRIVAL - timedelta(milliseconds=line))
        for shard in (SHARD, other)
        for seq in (9, 10, 10**55)
        for line in (0, 2, 11)
    ]  # fmt: skip
    shuffled = [*entries, *entries[:5]]
    Random(7).shuffle(shuffled)
    found = SortedEntries()
    for entry in shuffled:
        found.add(entry)
    assert len(found) == len(entries)
    groups = [(place, list(group)) for place, group in found.by_commit()]
    assert [place for place, _ in groups] == [
        (s, q) for s in (SHARD, other) for q in (9, 10, 10**55)
    ]
    assert [entry for _, group in groups for entry in group] == entries
    found.close()


COUNT = CountMetric(
    name="n",
    kind="count",
    dimensions=("type", "entity"),
    windows=(WindowWidth.HOUR, WindowWidth.DAY),
)
USERS = UniqueMetric(
    name="u", kind="unique", of="entity", dimensions=("type",), windows=(WindowWidth.DAY,)
)


def reckoned(entries, metrics, rate=100, members=10):
    reckoning = Reckoning(metrics, rate)
    for entry in entries:
        reckoning.take(entry)
    return reckoning.estimate(members), reckoning.references


def entries(number, entities=1, types=1):
    return [
        index_entry(n, event_time=ARRIVAL, entity_id=f"e{n % entities}", event_type=f"t{n % types}")
        for n in range(number)
    ]


def test_an_estimate_follows_the_events():
    """Rows that the events share are written once a transaction, those of entities each."""
    shared, references = reckoned(entries(192), [COUNT])
    assert (shared.seconds, references) == (1.92, 2)
    assert shared.write_units == 2 * (192 + 3 * 4)  # 96 marks and 4 rows fit; 100 are read together
    apart, _ = reckoned(entries(192, entities=192), [COUNT])
    assert apart.write_units > 2 * (192 + 192 * 2)
    assert apart.usd > shared.usd
    typed = CountMetric(name="n", kind="count", dimensions=("type",), windows=(WindowWidth.DAY,),
                        event_types=("t1",))  # fmt: skip
    chosen, _ = reckoned(entries(90, types=2), [typed])
    assert chosen.write_units == 2 * (90 + 1)


def test_users_cost_a_marker_each():
    """As many as are in a transaction, however many events they have."""
    few, _ = reckoned(entries(90, entities=3), [USERS])
    many, _ = reckoned(entries(90, entities=90), [USERS])
    assert (few.write_units, many.write_units) == (2 * 91 + 3, 2 * 91 + 90)


@pytest.mark.parametrize(
    ("rate", "references"), [(1, 1_000), (10, 100), (400, 3), (500, 2), (10_000, 2)]
)
def test_faster_means_fewer_references(rate, references):
    """As many events as arrive in a second are read together, 500 at most."""
    assert reckoned(entries(1_000), [COUNT], rate)[1] == references


def test_nothing_costs_nothing():
    """And every member that is fetched costs something."""
    assert reckoned([], [COUNT], members=0)[0] == Estimate(0.0, 0.0, 0.0)
    assert reckoned(entries(9), [COUNT], members=900)[0].usd > reckoned(entries(9), [COUNT])[0].usd
