"""Replayed events: counted under their version, once, or not at all in a dry run."""

from dataclasses import replace

import pytest

from millrace.aggregates import Dimension
from millrace.commit import Stage
from millrace.errors import ConfigError, RetryableError
from millrace.replay.progress import Progress
from millrace_testing.builders import SHARD

pytestmark = pytest.mark.aggregation


def test_replayed_events_count_under_their_version(world, new_events):
    """With the metrics that only replays compute; live rows and the ledger are left alone."""
    live = world.commit(100, new_events(range(10)))
    world.run(live)
    before = world.row("events", Dimension.TYPE, "view")
    done = world.run(world.replayed("a", new_events(range(10))))
    assert (done.events, done.parts) == (10, 10)
    replayed = world.row("events", Dimension.TYPE, "view", version="1766914200")
    assert (replayed.value, replayed.input_hash) == (before.value, before.input_hash)
    assert world.row("later", Dimension.TYPE, "view", version="1766914200").value == 10
    assert world.row("users", Dimension.TYPE, "view", version="1766914200").value == 7
    assert world.row("events", Dimension.TYPE, "view") == before
    assert len(world.ledger.commits) == 1


def test_replayed_events_count_once_however_they_are_grouped(world, new_events):
    """The same event in several objects, in one batch or in later ones: once under its version."""
    events = new_events(range(12))
    objects = [events, events[:7], events[5:], events[3:9], [*events[:2], *events[:2]]]
    references = [world.replayed(str(n), each) for n, each in enumerate(objects)]
    world.run(references[1])
    world.service().aggregate(references)
    world.service().aggregate(references[::-1])
    row = world.row("events", Dimension.TYPE, "view", version="1766914200")
    assert (row.value, row.event_count) == (12, 12)
    assert world.row("users", Dimension.TYPE, "view", version="1766914200").value == 7
    other = world.replayed("b", events, version="1766914299")
    world.run(other)
    assert world.row("events", Dimension.TYPE, "view", version="1766914299").value == 12


def test_replayed_events_share_transactions(world, new_events):
    """Events of one hour touch the same rows: many marks, and the rows once, in each."""
    events = [replace(each, entity_id="u") for each in new_events(range(60))]
    world.run(world.replayed("a", events))
    assert len(world.counters.transactions) == 1


def test_a_dry_run_writes_nothing_of_a_replay(world, new_events):
    """Read, parsed and computed: the outcome says what would have been written."""
    reference = world.replayed("a", new_events(range(10)))
    wet = type(world)()
    would = wet.run(wet.replayed("a", new_events(range(10))))
    before = world.end()
    world.dry_run = True
    done = world.run(reference)
    assert done == replace(would, dry_run=True)
    assert world.end() == before
    assert not world.markers.owner_of


def test_a_dry_run_processes_live_references_all_the_same(world, new_events):
    """Nobody would send them again: they are written, beside a replay that is not."""
    world.dry_run = True
    live, replayed = world.commit(100, new_events([1])), world.replayed("a", new_events([2]))
    first, second = world.service().aggregate([live, replayed])
    assert (first.dry_run, second.dry_run) == (False, True)
    assert Stage.AGGREGATED in world.ledger.head(SHARD, 100).marks
    assert {key.version for key in world.counters.rows} == {"live"}


def test_what_is_counted_is_noted_with_the_replay(world, new_events):
    """Every event of an object, once all of its parts are written; a second delivery is the same.

    Events that only objects hold whose messages were never sent are enriched and not counted.
    """
    first = world.replayed("a", new_events(range(10)))
    world.replayed("orphan", new_events(range(8, 12)))
    assert world.progress() == Progress(enriched=12, counted=0, skipped=0)
    for _ in range(2):
        world.run(first)
        assert world.progress() == Progress(enriched=12, counted=10, skipped=0)


def test_a_dry_run_notes_nothing_as_counted(world, new_events):
    """Nothing is: the replay's status must not say that it was."""
    world.dry_run = True
    world.run(world.replayed("a", new_events(range(10))))
    assert world.progress().counted == 0


def test_an_object_that_is_not_counted_is_not_noted(world, new_events):
    """A part that fails fails the reference; what gave way for a moment slows the sender down."""
    references = [world.replayed(name, new_events([number])) for number, name in enumerate("ab")]
    events = {"a": RetryableError("throttled"), "b": ConfigError("a right is missing")}
    for reference in references:
        world.counters.refusing = lambda _, name=reference.object_id: events[name]
        world.service().aggregate([reference])
        assert world.replays.pressure_ms("replay-1") is not None
        assert world.progress().counted == 0
    world.replays.pressures.clear()
    world.service().aggregate([references[1]])
    assert world.replays.pressure_ms("replay-1") is None


def test_a_lost_note_fails_the_reference(world, new_events):
    """It comes again, and the second time all there is to do is to note it."""
    reference = world.replayed("a", new_events([1]))
    listed = world.replays.made.pop("replay-1")
    (outcome,) = world.service().aggregate([reference])
    assert isinstance(outcome, RetryableError)
    world.replays.made["replay-1"] = listed
    assert world.run(reference).parts_done_before == 1
    assert world.progress().counted == 1


def test_a_crash_at_any_call_of_a_replayed_reference(new_world, new_tap, new_events):
    """Killed before or after each call of a port, then redelivered: as one clean run."""
    clean = new_world()
    tap = new_tap(-1, lambda: None)
    clean.run(clean.replayed("a", new_events(range(150))), tap)
    for at in range(tap.calls):
        for after in (False, True):
            world = new_world()
            reference = world.replayed("a", new_events(range(150)))
            with pytest.raises(KeyboardInterrupt):
                world.run(reference, new_tap(at, _killed, after))
            world.run(reference)
            assert world.end() == clean.end(), f"crashed at call {at}, after: {after}"


def _killed():
    raise KeyboardInterrupt
