"""Crashes, redeliveries and rivals: the counters end as after one clean run."""

from dataclasses import replace
from itertools import count, islice
from random import Random

import pytest

from millrace.definitions import version_of
from millrace.keys import definitions_key

pytestmark = pytest.mark.aggregation


class Crash(BaseException):
    """The function was killed here: nothing may catch it and carry on."""


def crash():
    raise Crash


def many(events):
    """Spread events over entities so that their counters need several parts."""
    return [replace(event, entity_id=f"entity {event.event_id}") for event in events]


def calls_of(new_world, new_tap, events):
    world = new_world()
    tap = new_tap(at=-1, action=crash)
    world.run(world.commit(100, events), tap)
    return tap.calls


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_call_loses_and_doubles_nothing(new_world, new_tap, new_events, after):
    """Killed before or after each call of a port, then redelivered: as one clean run."""
    events = many(new_events(range(150)))
    clean = new_world()
    clean.run(clean.commit(100, events))
    calls = calls_of(new_world, new_tap, events)
    assert calls == 11  # head, object, definitions, promoted, markers twice, four parts, mark
    for at in range(calls):
        world = new_world()
        reference = world.commit(100, events)
        with pytest.raises(Crash):
            world.run(reference, new_tap(at, crash, after))
        world.run(reference)
        assert world.end() == clean.end(), f"crashed at call {at}"


def test_crash_after_crash_ends_the_same(new_world, new_tap, new_events):
    """Killed at every call in turn, one attempt each: every attempt goes on from the last."""
    events = many(new_events(range(150)))
    clean = new_world()
    clean.run(clean.commit(100, events))
    world = new_world()
    reference = world.commit(100, events)
    for at in count():
        try:
            world.run(reference, new_tap(at, crash, after=True))
            break
        except Crash:
            continue
    world.run(reference)
    assert world.end() == clean.end()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_definitions_that_change_between_two_attempts(
    new_world, new_tap, new_events, definitions_toml, after
):
    """The object was stamped once: a retry after a deployment adds what the first attempt began."""
    other = definitions_toml.replace(b'"entity", "client"', b'"client"')
    events = many(new_events(range(150)))
    clean = new_world()
    clean.run(clean.commit(100, events))
    for at in range(calls_of(new_world, new_tap, events)):
        world = new_world()
        reference = world.commit(100, events)
        with pytest.raises(Crash):
            world.run(reference, new_tap(at, crash, after))
        world.objects.put_new(definitions_key(version_of(other)), other)
        world.run(replace(reference, defs_version=version_of(other)))
        assert world.end() == clean.end(), f"crashed at call {at}"


def test_three_deliveries_in_any_order(new_world, new_events):
    """Each reference three times, shuffled: as each one once."""
    batches = {seq: new_events(range(seq, seq + 40)) for seq in range(100, 1000, 100)}
    clean = new_world()
    for seq, events in batches.items():
        clean.run(clean.commit(seq, events))
    for seed in range(5):
        world = new_world()
        deliveries = [world.commit(seq, events) for seq, events in batches.items()] * 3
        Random(seed).shuffle(deliveries)
        for reference in deliveries:
            world.run(reference)
        assert world.end() == clean.end()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("crashes", [False, True], ids=["goes on", "crashes"])
def test_rivals_for_the_same_users(new_world, new_tap, new_events, after, crashes):
    """A second commit runs whole inside any call of the first: each user is counted once."""
    first, second = new_events(range(20)), new_events(range(10, 45))
    clean = new_world()
    for seq, events in ((100, first), (200, second)):
        clean.run(clean.commit(seq, events))
    for at in range(calls_of(new_world, new_tap, first)):
        world = new_world()
        mine, rival = world.commit(100, first), world.commit(200, second)

        def meanwhile(world=world, rival=rival):
            world.run(rival)
            if crashes:
                raise Crash

        if crashes:
            with pytest.raises(Crash):
                world.run(mine, new_tap(at, meanwhile, after))
            world.run(mine)
        else:
            world.run(mine, new_tap(at, meanwhile, after))
        assert world.end() == clean.end(), f"the rival came at call {at}"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_two_attempts_at_one_reference_overlap(new_world, new_tap, new_events, after):
    """The same reference runs whole inside any call of itself (a zombie): counted once."""
    events = many(new_events(range(150)))
    clean = new_world()
    clean.run(clean.commit(100, events))
    for at in range(calls_of(new_world, new_tap, events)):
        world = new_world()
        reference = world.commit(100, events)
        world.run(reference, new_tap(at, lambda w=world, r=reference: w.run(r), after))
        assert world.end() == clean.end(), f"the other attempt ran at call {at}"


def test_a_crash_between_two_inserts(new_world, new_events):
    """Killed with half of the markers written: the rest is claimed, the half is still its own."""
    events = new_events(range(20))
    clean = new_world()
    clean.run(clean.commit(100, events))
    world = new_world()
    reference = world.commit(100, events)
    markers = world.markers

    class Half:
        owners = markers.owners

        def insert_new(self, owners):
            markers.insert_new(dict(islice(owners.items(), len(owners) // 2)))
            raise Crash

    world.markers = Half()
    with pytest.raises(Crash):
        world.run(reference)
    world.markers = markers
    world.run(reference)
    assert world.end() == clean.end()
