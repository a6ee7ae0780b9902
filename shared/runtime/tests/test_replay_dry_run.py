"""What a dry run says that it would have written."""

from dataclasses import replace

import pytest

from millrace.aggregates import AggregateKey, Dimension, Scope
from millrace.definitions import parse, version_of
from millrace.keys import definitions_key, replay_enriched_key
from millrace.raw_lines import pack
from millrace.replay.dry_run import DryRuns, NoReport
from millrace.replay.errors import UnknownReplay
from millrace.replay.progress import ProcessedObject
from millrace.replay.record import ReplayState
from millrace.windows import WindowWidth, window_of
from millrace_testing.builders import ARRIVAL, enriched_event
from millrace_testing.fakes import FakeObjects
from millrace_testing.metrics import metric
from millrace_testing.replays import (
    REPLAY_ID,
    REPLAY_VERSION,
    FakeReplays,
    audit_entry,
    replay_record,
)

pytestmark = pytest.mark.aggregation

DAYS = ("day",)
TOML = (
    metric("n", windows=DAYS, mode="replay")
    + metric("numbers", "sum", windows=DAYS, value="payload.number")
    + metric("users", "unique", windows=DAYS, of="entity")
)
DEFS = version_of(TOML)
EVENTS = [enriched_event(n, defs_version=DEFS, event_time=ARRIVAL) for n in range(20)]


class World:
    """A dry run that has ended, and the objects that enrich made."""

    def __init__(self) -> None:
        self.replays, self.objects = FakeReplays(), FakeObjects()
        self.objects.put_new(definitions_key(DEFS), TOML)
        dry = replay_record(dry_run=True, state=ReplayState.COMPLETED)
        self.replays.start(dry, audit_entry())
        self.dry_runs = DryRuns(self.replays, self.objects, parse)

    def enrich(self, object_id: str, numbers: range) -> str:
        """Put an object of some events there, and list it."""
        key = replay_enriched_key(REPLAY_ID, object_id)
        self.objects.put_new(key, pack([EVENTS[n].to_line() for n in numbers]).body)
        made = ProcessedObject(object_id, key, frozenset(), counted=False)
        self.replays.list_object(REPLAY_ID, made)
        return key

    def alter(self, **fields) -> None:
        self.replays.records[REPLAY_ID] = replace(self.replays.records[REPLAY_ID], **fields)


@pytest.fixture
def world() -> World:
    return World()


def test_each_event_counts_once(world):
    """However many objects it is in, and each user of a unique row once; nothing is written."""
    for object_id, numbers in (("a", range(12)), ("b", range(8, 20)), ("c", range(20))):
        world.enrich(object_id, numbers)
    stored, told = dict(world.objects.bodies), []
    rows = list(world.dry_runs.report(REPLAY_ID, told.append))
    scope, day = Scope.of(Dimension.TYPE, "view"), window_of(ARRIVAL, WindowWidth.DAY)
    assert [each.key for each in rows] == [
        AggregateKey(scope, day, name, REPLAY_VERSION) for name in ("n", "numbers", "users")
    ]
    assert [each.delta.value for each in rows] == [20, sum(range(20)), 7]
    hashed = sum(event.hash64 for event in EVENTS)
    assert {(each.delta.event_count, each.delta.input_hash) for each in rows} == {(20, hashed)}
    assert (told, world.objects.bodies) == ([12, 20, 20], stored)


def test_nothing_enriched_is_no_row(world):
    """An empty plan, or one whose events were all skipped."""
    assert list(world.dry_runs.report(REPLAY_ID)) == []


def test_what_has_no_report_is_named(world):
    """A real replay, one that has not ended, objects that expired, one that is not there."""
    key = world.enrich("a", range(3))
    del world.objects.bodies[key]
    with pytest.raises(NoReport, match=rf"{key} has expired.*--dry-run --again"):
        list(world.dry_runs.report(REPLAY_ID))
    world.alter(state=ReplayState.SENT)
    with pytest.raises(NoReport, match="it is sent"):
        list(world.dry_runs.report(REPLAY_ID))
    world.alter(dry_run=False)
    with pytest.raises(NoReport, match="diff"):
        list(world.dry_runs.report(REPLAY_ID))
    with pytest.raises(UnknownReplay):
        list(world.dry_runs.report("r-9"))
