"""When a replay may be promoted, and what its audit says of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from millrace.aggregates import LIVE, AggregateKey, AggregateRow, Dimension, Scope, Version
from millrace.commit import Checkpoint, CommitHead, ShardKey, Stage
from millrace.definitions import parse
from millrace.index import pages_of
from millrace.replay.diffing import Diffing
from millrace.replay.planning import MetricDefinitions, Planner
from millrace.replay.progress import SkippedEvent
from millrace.replay.promoting import NotPromotable, Promoting
from millrace.replay.promotion import (
    Allowance,
    Choice,
    Operator,
    Outcome,
    OutcomeKind,
    Promotion,
)
from millrace.replay.record import Action, Replay, ReplayState
from millrace.replay.selection import Selection
from millrace.windows import WindowWidth, window_of
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes, index_entry
from millrace_testing.fakes import FakeIndex, FakeLedger, FakeObjects, FixedClock
from millrace_testing.metrics import metric
from millrace_testing.replays import FakeReplays, audit_entry, replay_record

TOML = metric("n") + metric("users", "unique", of="entity")
DEFINITIONS = parse(TOML, "metrics.toml")
NINE = ARRIVAL.replace(minute=0)
SELECTION = Selection(NINE, NINE + timedelta(hours=1))
REPLAYED = Version("1766914200")
URL = "https://sqs/replay"
ANA = Operator("ana", "mended", ARRIVAL)


def row(metric: str, version: Version, value: int) -> AggregateRow:
    key = AggregateKey(
        Scope.of(Dimension.TYPE, "view"), window_of(NINE, WindowWidth.HOUR), metric, version
    )
    return AggregateRow(key, value, value, value * 7, (), "d", ARRIVAL)


@dataclass
class FakeAggregates:
    """`millrace.replay.diffing.Aggregates` over a list of rows."""

    rows: list[AggregateRow] = field(default_factory=list)

    def scopes_of(self, version: Version) -> Iterator[Scope]:
        yield from {each.key.scope for each in self.rows if each.key.version == version}

    def live_scopes(self, dimensions, start, end) -> Iterator[Scope]:
        yield from {each.key.scope for each in self.rows if each.key.version == LIVE}

    def query(self, scope, width, *, metric=None, start=None, end=None, version=LIVE):
        yield from (each for each in self.rows if each.key.window.width is width)


@dataclass
class FakeRows:
    """`millrace.replay.promoting.LiveRows` that notes what it was given."""

    promoted: list[Choice] = field(default_factory=list)
    records: list[Promotion] = field(default_factory=list)
    refusing: str = ""

    def promote(self, replay: Replay, choice: Choice, by: Operator) -> Outcome:
        self.promoted.append(choice)
        kind = OutcomeKind.REFUSED if self.refusing else OutcomeKind.DONE
        return Outcome(choice.key, kind, choice.before, choice.after, self.refusing)

    def restore(self, replay: Replay, promotion: Promotion, by: Operator) -> Outcome:
        at = self.records.index(promotion)
        self.records[at] = replace(promotion, undone=by)
        return Outcome(promotion.key, OutcomeKind.DONE, promotion.after, promotion.before)

    def promotions(self, replay_id: str) -> Iterator[Promotion]:
        yield from self.records


class Heads(FakeLedger):
    """`millrace.replay.promoting.CommitHeads` on the fake ledger."""

    def heads_at(self, places: Iterable[tuple[ShardKey, int]]) -> Iterator[CommitHead]:
        yield from (self.commits[place].head for place in places if place in self.commits)


class World:
    """A completed replay of one commit, which live has counted."""

    def __init__(self) -> None:
        self.index, self.ledger, self.objects = FakeIndex(2), Heads(), FakeObjects()
        self.replays, self.aggregates, self.rows = FakeReplays(), FakeAggregates(), FakeRows()
        planner = Planner(self.index, self.ledger, self.objects, self.replays, FixedClock(ARRIVAL))
        self.commit(100)
        plan = planner.plan(SELECTION, MetricDefinitions(DEFINITIONS, TOML), "ana", 10)
        record = replay_record(
            plan_id=plan.plan_id, version=REPLAYED, defs_version=DEFINITIONS.version,
            state=ReplayState.COMPLETED, queue_url=URL,
        )  # fmt: skip
        self.id = record.replay_id
        self.replays.start(record, audit_entry())
        diffing = Diffing(self.replays, self.aggregates, self.objects, planner, parse)
        self.promoting = Promoting(diffing, self.ledger, self.rows, URL)
        self.aggregates.rows = [
            row("n", LIVE, 5), row("n", REPLAYED, 4),
            row("users", LIVE, 3), row("users", REPLAYED, 3),
        ]  # fmt: skip

    def commit(self, first_seq: int, *, counted: bool = True) -> None:
        """Index a commit of four events."""
        commit, _ = commit_of([event_bytes(n) for n in range(4)], first_seq=first_seq)
        self.ledger.commit(self.ledger.read(SHARD), Checkpoint(1, 0, ()), commit)
        marks = {Stage.AGGREGATED: {"at": "now"}} if counted else {}
        self.ledger.commits[SHARD, first_seq] = replace(
            commit, head=replace(commit.head, marks=marks)
        )
        entries = [
            index_entry(first_seq + n, event_time=NINE, line=n, first_seq=first_seq)
            for n in range(4)
        ]
        days = self.index.settled_buckets({each.day for each in entries})
        self.index.write(pages_of(entries, ARRIVAL, days))

    def alter(self, **fields: Any) -> None:
        self.replays.records[self.id] = replace(self.replays.records[self.id], **fields)

    def choices(self, **allowed: bool):
        return self.promoting.choices(self.id, Allowance(**allowed))


@pytest.fixture
def world() -> World:
    return World()


def test_only_rows_that_differ_are_promoted(world):
    """The others are told as left alone; the audit says who, why and how many of each."""
    choices = world.choices()
    assert {each.key.metric: bool(each.skipped_because) for each in choices} == {
        "n": False, "users": True,
    }  # fmt: skip
    assert {each.key.metric: each.unique for each in choices} == {"n": False, "users": True}
    outcomes = list(world.promoting.promote(world.id, choices, ANA))
    assert [each.kind for each in outcomes] == [OutcomeKind.DONE, OutcomeKind.SKIPPED]
    assert [each.key.metric for each in world.rows.promoted] == ["n"]
    entry = world.replays.audit(world.id)[-1]
    assert (entry.action, entry.who, entry.reason) == (Action.PROMOTE, "ana", "mended")
    assert entry.result == "rows: 1 done, 1 skipped, 0 refused"


def test_one_refused_row_stops_no_other(world):
    """And the audit counts it."""
    world.aggregates.rows[3] = row("users", REPLAYED, 2)
    world.rows.refusing = "live changed"
    outcomes = list(world.promoting.promote(world.id, world.choices(), ANA))
    assert [(each.kind, each.why) for each in outcomes] == [
        (OutcomeKind.REFUSED, "live changed")
    ] * 2
    assert world.replays.audit(world.id)[-1].result == "rows: 0 done, 0 skipped, 2 refused"


def test_an_interrupted_promotion_is_in_the_audit(world):
    """With what was done until then."""
    outcomes = world.promoting.promote(world.id, world.choices(), ANA)
    next(outcomes)
    outcomes.close()
    assert world.replays.audit(world.id)[-1].result == "rows: 1 done, 0 skipped, 0 refused"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"dry_run": True}, "dry run"),
        ({"queue_url": "https://sqs/mine"}, "queue of your own"),
        ({"state": ReplayState.SENT}, "it is sent"),
        ({"state": ReplayState.CANCELLED}, "it is cancelled"),
    ],
)
def test_what_was_not_counted_whole_is_refused(world, fields, why):
    """A dry run, another queue, one that runs or was cancelled."""
    world.alter(**fields)
    with pytest.raises(NotPromotable, match=why):
        world.choices()


def test_skipped_events_are_promoted_only_if_asked(world):
    """Live would lose them."""
    skipped = SkippedEvent("raw/x@0:1", "e", "object_missing", "gone")
    world.replays.skip(world.id, skipped)
    with pytest.raises(NotPromotable, match=r"1 of its events .* --skipped"):
        world.choices()
    assert len(world.choices(skipped=True)) == 2


def test_what_live_has_yet_to_count_would_count_twice(world):
    """A commit of the plan that is not marked refuses all; one that came since does not."""
    world.commit(200, counted=False)
    assert len(world.choices()) == 2
    commit = world.ledger.commits[SHARD, 100]
    world.ledger.commits[SHARD, 100] = replace(commit, head=replace(commit.head, marks={}))
    with pytest.raises(NotPromotable, match="not counted all events of the plan"):
        world.choices()
    del world.ledger.commits[SHARD, 100]
    with pytest.raises(NotPromotable, match="names no commit of raw/"):
        world.choices()


def test_what_was_promoted_is_given_back(world):
    """What was undone before is left alone; the audit names the act."""
    key = world.choices()[0].key
    choice = world.choices()[0]
    standing = Promotion("p1", key, choice.before, choice.after, ANA)
    world.rows.records = [replace(standing, promotion_id="p0", undone=ANA), standing]
    assert [each.promotion_id for each in world.promoting.standing(world.id)] == ["p1"]
    assert "promoted before" in world.choices()[0].skipped_because
    outcomes = list(world.promoting.undo(world.id, world.promoting.standing(world.id), ANA))
    assert [each.kind for each in outcomes] == [OutcomeKind.DONE]
    assert (world.promoting.standing(world.id), len(outcomes)) == ([], 1)
    assert world.replays.audit(world.id)[-1].action is Action.UNDO
