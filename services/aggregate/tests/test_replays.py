"""Replayed events: counted under their version, once, or not at all in a dry run."""

from dataclasses import replace

import pytest

from millrace.aggregates import Dimension
from millrace.commit import Stage
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
