"""The worker, killed at each call of a port, and at random: nothing is lost."""

from random import Random

import pytest

from millrace.replay.operations import Order
from millrace.replay.record import ReplayState
from millrace_testing.crash.tap import Tap
from millrace_testing.crash.wire import Crash

SEED, KILLS = 20_251_228, 20
EVERY = {f"event-{n}" for n in range(100)}


def killed() -> None:
    raise Crash("killed")


def drive(world, replay_id: str, tap: Tap | None = None) -> None:
    """Run one wake-up as SQS does: the message is gone when the turn ends, else it stays."""
    if world.replay(replay_id).state is ReplayState.SENT:
        world.process(replay_id)
    try:
        world.turn(replay_id, 1, tap)
    except Crash:
        return
    del world.wake.sent[0], world.wake.delays_s[0]


def ended(world, replay_id: str) -> dict[str, object]:
    """Return what readers see in the end; how often something was sent is not among it."""
    status = world.operations.status(replay_id)
    return {
        "sent": set(world.destination.times_sent),
        "state": status.replay.state,
        "cursor": status.replay.cursor,
        "progress": status.progress,
        "audit": [each.action for each in status.audit],
    }


@pytest.mark.batch
def test_every_crash_point_of_the_worker_survives(new_world):
    """Killed before or after each call, then delivered again: as one clean run."""
    clean = new_world()
    replay_id = clean.apply(rate=40)
    counting = Tap(-1, killed)
    while clean.wake.sent:
        drive(clean, replay_id, counting)
    expected = ended(clean, replay_id)
    assert expected["sent"] == EVERY
    assert expected["state"] is ReplayState.COMPLETED
    for at in range(counting.calls):
        for after in (False, True):
            world = new_world()
            replay_id = world.apply(rate=40)
            tap = Tap(at, killed, after)
            for _ in range(50):
                if world.wake.sent:
                    drive(world, replay_id, tap)
            assert world.wake.sent == []
            assert ended(world, replay_id) == expected, f"call {at}, after: {after}"


@pytest.mark.batch
def test_a_worker_killed_twenty_times_loses_nothing(new_world, figures):
    """At random places, drawn from a seed: each event is sent, and counted once."""
    draw = Random(SEED)
    world = new_world(5_000, 700)
    replay_id = world.apply(rate=100)
    for _ in range(KILLS):
        with pytest.raises(Crash):
            world.turn(replay_id, 60, Tap(draw.randrange(30), killed, draw.random() < 0.5))
    world.work_off(replay_id)
    times = world.destination.times_sent
    assert set(times) == {f"event-{n}" for n in range(5_000)}
    status = world.operations.status(replay_id)
    assert (status.progress.counted, status.replay.messages) == (5_000, 5_000)
    assert status.replay.state is ReplayState.COMPLETED
    figures(f"worker killed {KILLS} times: {sum(times.values())} messages for 5,000 events")


@pytest.mark.batch
def test_every_crash_point_of_apply_survives(new_world):
    """Whoever applies again ends with one running replay and the worker awake."""
    order = Order("ana", "to see", 100)
    counting = Tap(-1, killed)
    clean = new_world()
    apply(clean, order, counting)
    for at in range(counting.calls):
        for after in (False, True):
            world = new_world()
            with pytest.raises(Crash):
                apply(world, order, Tap(at, killed, after))
            replay = apply(world, order, Tap(-1, killed))
            assert [each.replay_id for each in world.replays.replays()] == [replay.replay_id]
            world.work_off(replay.replay_id)
            assert set(world.destination.times_sent) == EVERY
            assert world.replay(replay.replay_id).state is ReplayState.COMPLETED


def apply(world, order, tap):
    own = world.operations
    tapped = type(own)(tap.on(own.ledger), tap.on(own.work), own.queue_url, own.clock)
    return tapped.apply(world.plan.plan_id, order)
