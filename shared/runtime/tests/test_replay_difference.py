"""Why a replayed row differs from the live one, and who is named for it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from millrace.aggregates import LIVE, AggregateKey, AggregateRow, Dimension, Scope, Version
from millrace.commit import Checkpoint
from millrace.definitions import parse
from millrace.errors import ObjectMissing
from millrace.index import pages_of
from millrace.keys import definitions_key
from millrace.replay.coverage import Coverage
from millrace.replay.difference import SAMPLES, Rows, Verdict, belongs, compared, paired
from millrace.replay.diffing import Diffing, verdicts
from millrace.replay.errors import UnknownReplay
from millrace.replay.planning import MetricDefinitions, Planner
from millrace.replay.progress import ProcessedObject, SkippedEvent
from millrace.replay.record import ReplayState
from millrace.replay.selection import Selection
from millrace.windows import WindowWidth, window_of
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes, index_entry
from millrace_testing.fakes import FakeIndex, FakeLedger, FakeObjects, FixedClock
from millrace_testing.metrics import metric
from millrace_testing.replays import FakeReplays, audit_entry, replay_record

TOML = metric("n", dimensions=("type", "entity")) + metric("later", mode="replay")
DEFINITIONS = parse(TOML, "metrics.toml")
REPLAYED = Version("1766914200")
HOUR = timedelta(hours=1)
NINE = ARRIVAL.replace(minute=0)
SELECTION = Selection(NINE - HOUR, NINE + HOUR)
COVERAGE = Coverage.of(SELECTION, DEFINITIONS.metrics)
VIEWS = Scope.of(Dimension.TYPE, "view")


def key(metric: str = "n", version: Version = REPLAYED, hours: int = 0, scope: Scope = VIEWS):
    return AggregateKey(scope, window_of(NINE + hours * HOUR, WindowWidth.HOUR), metric, version)


def row(
    version: Version = LIVE, value: int = 5, events: int = 5, hashed: int = 77,
    defs: str = "d" * 16, **of: Any,
):  # fmt: skip
    return AggregateRow(key(version=version, **of), value, events, hashed, (), defs, ARRIVAL)


@pytest.mark.parametrize(
    ("live", "replayed", "metric", "hours", "verdict"),
    [
        (row(), row(REPLAYED), "n", 0, Verdict.SAME),
        (row(), row(REPLAYED, value=6), "n", 0, Verdict.LOGIC),
        (row(), row(REPLAYED, events=6, hashed=78), "n", 0, Verdict.INPUTS),
        (row(), row(REPLAYED, hashed=78), "n", 0, Verdict.INPUTS),
        (row(), row(REPLAYED, events=6), "n", 0, Verdict.INPUTS),
        (row(), None, "n", 0, Verdict.INPUTS),
        (None, row(REPLAYED), "n", 0, Verdict.INPUTS),
        (row(), row(REPLAYED), "n", 1, Verdict.PARTIAL),
        (row(), row(REPLAYED, value=6), "n", -2, Verdict.PARTIAL),
        (row(), None, "n", 1, Verdict.PARTIAL),
        (None, row(REPLAYED), "later", 0, Verdict.NO_LIVE),
        (None, row(REPLAYED), "later", 1, Verdict.NO_LIVE),
        (row(), row(REPLAYED), "later", 0, Verdict.SAME),
        (row(), None, "gone", 0, Verdict.PARTIAL),
    ],
)
def test_every_verdict(live, replayed, metric, hours, verdict):
    """Equal inputs and value; equal inputs; other inputs; not whole; nothing live."""
    found = compared(Rows(key(metric, hours=hours), live, replayed), COVERAGE)
    assert found.verdict is verdict
    assert verdict.differs is (verdict in {Verdict.LOGIC, Verdict.INPUTS})
    assert found.key.version == REPLAYED


def test_what_is_missing_counts_as_nothing():
    """How many events more, and how much the value moved, with one side empty too."""
    both = compared(Rows(key(), row(events=9), row(REPLAYED, events=7, value=3)), COVERAGE)
    assert (both.more_in_live, both.difference) == (2, -2)
    assert compared(Rows(key(), None, row(REPLAYED)), COVERAGE).more_in_live == -5
    assert compared(Rows(key(), row(), None), COVERAGE).difference == -5
    assert len(both.naming([str(n) for n in range(9)]).only_live) == SAMPLES


def test_rows_are_paired():
    """Those of one window and metric side by side, others alone; other versions are left out."""
    rows = [
        row(REPLAYED, hours=1), row(hours=1), row(hours=0), row(REPLAYED, metric="later"),
        row(Version("1")),
    ]  # fmt: skip
    pairs = list(paired(rows, LIVE, REPLAYED))
    assert [(each.key.window.start, each.key.metric) for each in pairs] == [
        (NINE, "later"), (NINE, "n"), (NINE + HOUR, "n"),
    ]  # fmt: skip
    assert [(each.live, each.replayed) for each in pairs] == [
        (None, rows[3]), (rows[2], None), (rows[1], rows[0]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "inside"),
    [
        (VIEWS, True),
        (Scope.of(Dimension.TYPE, "buy"), False),
        (Scope.of(Dimension.ENTITY, "ana"), True),
        (Scope.of(Dimension.ENTITY, "bo"), False),
        (Scope.of(Dimension.SOURCE, "web"), True),
        (Scope.of(Dimension.SOURCE, "app"), False),
        (Scope.of(Dimension.CLIENT, "anybody"), True),
        (Scope.of(Dimension.EXPERIMENT, "e1", "A"), True),
    ],
)
def test_who_may_be_named(scope, inside):
    """As far as the index knows; in the row's half-open window only."""
    entry = index_entry(entity_id="ana", event_time=NINE)
    assert belongs(entry, key(scope=scope)) is inside
    for at in (NINE - timedelta(milliseconds=1), NINE + HOUR):
        assert not belongs(replace(entry, event_time=at), key(scope=scope))
    assert (
        belongs(
            replace(entry, event_time=NINE + HOUR - timedelta(milliseconds=1)), key(scope=scope)
        )
        is inside
    )


class FakeAggregates:
    """`millrace.replay.diffing.Aggregates` over a list of rows."""

    def __init__(self) -> None:
        self.rows: list[AggregateRow] = []

    def scopes_of(self, version: Version) -> Iterator[Scope]:
        yield from sorted({each.key.scope for each in self.rows if each.key.version == version})

    def live_scopes(self, dimensions, start, end) -> Iterator[Scope]:
        live = [each.key for each in self.rows if each.key.version == LIVE]
        yield from {
            key.scope
            for key in live
            if key.scope.dimension in dimensions and start <= key.window.start <= end
        }

    def query(self, scope, width, *, metric=None, start=None, end=None, version=LIVE):
        for each in self.rows:
            window = each.key.window
            if each.key.scope == scope and window.width is width and start <= window.start < end:
                yield each


class World:
    """A replay of two hours of history, applied, and what live makes of it since."""

    def __init__(self) -> None:
        self.index, self.ledger, self.objects = FakeIndex(2), FakeLedger(), FakeObjects()
        self.replays, self.aggregates = FakeReplays(), FakeAggregates()
        self.clock = FixedClock(ARRIVAL)
        self.planner = Planner(
            self.index, self.ledger, self.objects, self.replays, self.clock, chunk_messages=4
        )
        self.index_commit(100, 10)
        metrics = MetricDefinitions(DEFINITIONS, TOML)
        plan = self.planner.plan(SELECTION, metrics, "ana", 10)
        self.record = replay_record(
            plan_id=plan.plan_id, version=REPLAYED, defs_version=DEFINITIONS.version
        )
        self.replays.start(self.record, audit_entry())
        self.diffing = Diffing(self.replays, self.aggregates, self.objects, self.planner, parse)

    def index_commit(self, first_seq: int, events: int) -> None:
        """Index a commit; its events are minutes after nine."""
        commit, _ = commit_of([event_bytes(n) for n in range(events)], first_seq=first_seq)
        self.ledger.commit(self.ledger.read(SHARD), Checkpoint(1, 0, ()), commit)
        self.ledger.commits[SHARD, first_seq] = commit
        entries = [
            index_entry(first_seq + n, event_time=NINE + timedelta(minutes=n), line=n,
                        first_seq=first_seq, entity_id="ana")
            for n in range(events)
        ]  # fmt: skip
        days = self.index.settled_buckets({each.day for each in entries})
        self.index.write(pages_of(entries, ARRIVAL, days))

    def diff(self):
        return list(self.diffing.diff(self.record.replay_id))


@pytest.fixture
def world() -> World:
    return World()


def test_equal_rows_need_no_index(world):
    """Nothing is named, so nothing is read for it."""
    world.aggregates.rows = [row(), row(REPLAYED), row(hours=-1), row(REPLAYED, hours=-1)]
    world.index.bodies = _refuse
    found = world.diff()
    assert [each.verdict for each in found] == [Verdict.SAME, Verdict.SAME]
    assert verdicts(found) == Counter({Verdict.SAME: 2}) | dict.fromkeys(
        set(Verdict) - {Verdict.SAME}, 0
    )


def _refuse(*arguments):
    raise AssertionError(f"read: {arguments}")


def test_events_that_came_since_are_named(world):
    """At most five ids, each once, that the plan did not have; only where inputs differ."""
    world.index_commit(200, 7)
    for place, pages in list(world.index.pages.items()):  # and the index names them twice
        world.index.pages[place] = pages | {
            (at, commit, 9): page for (at, commit, _), page in pages.items()
        }
    ana = Scope.of(Dimension.ENTITY, "ana")
    world.aggregates.rows = [
        row(events=17), row(REPLAYED, events=10), row(scope=ana), row(REPLAYED, scope=ana, value=9),
        row(scope=Scope.of(Dimension.TYPE, "buy"), events=3),
        row(REPLAYED, scope=Scope.of(Dimension.TYPE, "buy"), events=2),
    ]  # fmt: skip
    by_scope = {each.key.scope.ids[0]: each for each in world.diff()}
    assert by_scope["view"].only_live == tuple(f"event-{200 + n}" for n in range(5))
    assert by_scope["view"].more_in_live == 7
    assert (by_scope["ana"].verdict, by_scope["ana"].only_live) == (Verdict.LOGIC, ())
    assert (by_scope["buy"].verdict, by_scope["buy"].only_live) == (Verdict.INPUTS, ())


@pytest.mark.parametrize(
    ("case", "verdict"),
    [
        ((ReplayState.COMPLETED, False, "e" * 16, 0), Verdict.LOGIC),
        ((ReplayState.COMPLETED, False, "d" * 16, 0), Verdict.INPUTS),
        ((ReplayState.COMPLETED, False, "e" * 16, 2), Verdict.INPUTS),
        ((ReplayState.COMPLETED, True, "e" * 16, 0), Verdict.INPUTS),
        ((ReplayState.RUNNING, False, "e" * 16, 0), Verdict.INPUTS),
        ((ReplayState.CANCELLED, False, "e" * 16, 0), Verdict.INPUTS),
    ],
)
def test_definitions_that_choose_other_events_are_logic(world, case, verdict):
    """Only if nothing came since and the replay counted all it selected: else some are missing."""
    state, skipped, defs, late = case
    replay_id = world.record.replay_id
    world.replays.records[replay_id] = replace(world.record, state=state)
    if skipped:
        world.replays.skip(replay_id, SkippedEvent("raw/x@0:1", "e", "object_missing", "gone"))
    if late:
        world.index_commit(200, late)
    world.aggregates.rows = [row(events=9, hashed=1), row(REPLAYED, events=7, defs=defs)]
    (found,) = world.diff()
    assert found.verdict is verdict
    assert found.only_live == tuple(f"event-{200 + n}" for n in range(late))
    assert found.other_definitions_than("f" * 16) is (defs != "d" * 16)


def ended(world, **fields):
    """Complete the world's replay, one object of which was counted."""
    replay_id = world.record.replay_id
    record = replace(world.record, **{"state": ReplayState.COMPLETED} | fields)
    world.replays.records[replay_id] = record
    world.replays.list_object(replay_id, ProcessedObject("a", "k", frozenset(), counted=False))
    world.replays.mark_counted(replay_id, "a", 1)


@pytest.mark.parametrize(
    ("defs", "verdict"), [(DEFINITIONS.version, Verdict.INPUTS), ("e" * 16, Verdict.LOGIC)]
)
def test_scopes_that_only_live_has_are_found(world, defs, verdict):
    """Where the replay could have whole rows and has none; not if only its own are asked for."""
    ended(world)
    clicks = Scope.of(Dimension.TYPE, "click")
    world.aggregates.rows = [
        row(), row(REPLAYED), row(scope=clicks, defs=defs), row(scope=clicks, hours=1),
        row(scope=Scope.of(Dimension.SOURCE, "web")), row(scope=clicks, metric="gone"),
    ]  # fmt: skip
    found = {each.key: each for each in world.diff()}
    assert found[key(scope=clicks)].verdict is verdict
    assert found[key(scope=clicks)].replayed is None
    assert set(found) == {key(), key(scope=clicks)}
    only = list(world.diffing.diff(world.record.replay_id, only_replayed=True))
    assert [each.key for each in only] == [key()]


@pytest.mark.parametrize("fields", [{"state": ReplayState.SENT}, {"dry_run": True}])
def test_what_has_not_counted_all_lacks_nothing(world, fields):
    """A replay on its way and a dry run are compared by the rows that they have."""
    ended(world, **fields)
    world.aggregates.rows = [row()]
    assert world.diff() == []


def test_a_selected_scope_is_looked_at_without_a_search(world):
    """A selector names the one scope that is whole, so live is not looked through."""
    ended(world)
    world.replays.plans = {
        name: replace(plan, selection=replace(SELECTION, entity_id="bo"))
        for name, plan in world.replays.plans.items()
    }
    bo = Scope.of(Dimension.ENTITY, "bo")
    world.aggregates.rows = [row(scope=bo), row(scope=Scope.of(Dimension.ENTITY, "ana"))]
    world.aggregates.live_scopes = _refuse
    assert [(each.key.scope, each.live) for each in world.diff()] == [(bo, row(scope=bo))]


def test_included_duplicates_are_other_inputs(world):
    """Live leaves them out, whatever the definitions."""
    world.replays.plans = {
        name: replace(plan, selection=replace(SELECTION, include_duplicates=True))
        for name, plan in world.replays.plans.items()
    }
    state = replace(world.record, state=ReplayState.COMPLETED)
    world.replays.records[world.record.replay_id] = state
    world.aggregates.rows = [row(events=9), row(REPLAYED, events=10, defs="e" * 16)]
    assert [each.verdict for each in world.diff()] == [Verdict.INPUTS]


def test_windows_at_the_edge_are_looked_at(world):
    """A window that the selection covers in part is compared, and marked; one beyond is not."""
    world.replays.plans = {
        name: replace(
            plan, selection=replace(SELECTION, start=NINE - HOUR / 2, end=NINE + HOUR / 2)
        )
        for name, plan in world.replays.plans.items()
    }
    hours = range(-2, 3)
    world.aggregates.rows = [row(version, hours=n) for n in hours for version in (LIVE, REPLAYED)]
    assert [(each.key.window.start, each.verdict) for each in world.diff()] == [
        (NINE - HOUR, Verdict.PARTIAL), (NINE, Verdict.PARTIAL),
    ]  # fmt: skip


def test_what_cannot_be_compared_is_named(world):
    """An unknown replay, and definitions that are gone."""
    with pytest.raises(UnknownReplay, match="r-9"):
        list(world.diffing.diff("r-9"))
    del world.objects.bodies[definitions_key(DEFINITIONS.version)]
    with pytest.raises(ObjectMissing):
        world.diff()
