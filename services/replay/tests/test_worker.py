"""Turns of the worker, on fakes: what is sent, when it stops, and who it gives way to."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from millrace.errors import RetryableError
from millrace.replay.errors import UnknownReplay
from millrace.replay.operations import work_body
from millrace.replay.progress import SkippedEvent
from millrace.replay.record import Action, Cursor, ReplayState
from replay.domain import ROUND, Signs

EVERY = {f"event-{n}": 1 for n in range(100)}


def actions(world, replay_id):
    return [each.action for each in world.replays.audit(replay_id)]


def test_everything_is_sent_once_in_order(world):
    """By the plan, under the replay's version, when nothing goes wrong."""
    replay_id = world.apply()
    turn = world.turn(replay_id)
    assert (turn.sent, turn.state, turn.goes_on) == (100, ReplayState.SENT, True)
    assert world.destination.times_sent == EVERY
    assert [each.line for each in world.destination.sent] == list(range(100))
    first = world.destination.sent[0]
    assert (first.s3_bucket, first.replay_id) == ("data", replay_id)
    assert {each.version for each in world.destination.sent} == {world.version_of(replay_id)}
    assert world.replay(replay_id).cursor == Cursor(3, 10, 100)


def test_a_turn_stops_when_time_is_up_and_wakes_the_next(world):
    """At 40 messages a second a turn of a second sends about 40; the next one goes on there."""
    replay_id = world.apply(rate=40)
    world.wake.sent.clear()
    sent = []
    while True:
        turn = world.turn(replay_id, until_s=1)
        if turn.state is not ReplayState.RUNNING:
            break
        sent.append(turn.sent)
        assert turn.goes_on
        assert world.wake.sent.pop() == work_body(replay_id)
        assert world.replay(replay_id).cursor.sent == sum(sent)
    assert all(30 <= each <= 50 for each in sent[:-1])
    assert world.destination.times_sent == EVERY


def test_the_rate_is_kept(world):
    """Sending 100 messages at 20 a second takes 5 seconds of waiting."""
    world.turn(world.apply(rate=20))
    assert sum(world.stopwatch.waited) == pytest.approx(5)
    assert max(map(len, world.destination.rounds)) == 5


def test_a_slow_queue_is_not_waited_for_as_well(world):
    """What sending takes is part of the rate."""
    world.destination.after = lambda: setattr(world.stopwatch, "now_s", world.stopwatch.now_s + 0.3)
    world.turn(world.apply(rate=20))
    assert sum(world.stopwatch.waited) == 0


def test_a_round_is_never_more_than_a_checkpoint_s(new_world):
    """However fast: so many messages may be sent twice after a crash."""
    world = new_world(3_200, 2_000)
    world.turn(world.apply(rate=10_000))
    assert [len(each) for each in world.destination.rounds] == [ROUND, ROUND, ROUND, 200]


@pytest.mark.parametrize("cut", range(0, 101, 10))
def test_a_turn_goes_on_from_the_cursor(world, cut):
    """Wherever in a chunk, or between two, the last one ended."""
    replay_id = world.apply(rate=40)
    world.destination.after = lambda: _stop_at(world, cut)
    if cut:
        with pytest.raises(RetryableError):
            world.turn(replay_id)
    world.destination.after = lambda: None
    world.turn(replay_id)
    assert world.destination.times_sent == EVERY | dict.fromkeys(
        [f"event-{n}" for n in range(cut - 10, cut)] if cut else [], 2
    )


def _stop_at(world, cut):
    if len(world.destination.sent) >= cut:
        raise RetryableError("the queue is away")


@pytest.mark.parametrize(
    ("action", "state"), [("pause", ReplayState.PAUSED), ("cancel", ReplayState.CANCELLED)]
)
def test_a_person_ends_a_turn_at_its_next_checkpoint(world, action, state):
    """What was sent by then was sent; nothing more is, and nobody is woken."""
    replay_id = world.apply(rate=40)
    world.wake.sent.clear()

    def act():
        if len(world.destination.rounds) == 3:
            getattr(world.operations, action)(replay_id, "bo", "live is slow")

    world.destination.after = act
    turn = world.turn(replay_id)
    assert (turn.state, turn.goes_on) == (state, False)
    assert len(world.destination.rounds) == 3
    assert world.wake.sent == []
    assert world.replay(replay_id).cursor.sent == 20
    again = world.turn(replay_id)
    assert (again.sent, again.state, again.goes_on) == (0, state, False)
    assert len(world.destination.rounds) == 3


def test_a_resumed_replay_sends_the_rest(world):
    """From the last checkpoint: only the round that met the pause is sent twice."""
    replay_id = world.apply(rate=40)
    world.destination.after = lambda: world.operations.pause(replay_id, "bo", "wait")
    world.turn(replay_id)
    world.destination.after = lambda: None
    world.operations.resume(replay_id, "bo", "go on")
    world.work_off(replay_id)
    assert world.destination.times_sent == EVERY | {f"event-{n}": 2 for n in range(10)}
    assert world.replay(replay_id).state is ReplayState.COMPLETED


def test_a_second_worker_takes_over(world):
    """Of two that SQS woke, the one that writes its checkpoint second ends; all is sent."""
    replay_id = world.apply(rate=40)
    inner = []

    def meet():
        if len(world.destination.rounds) == 2:
            inner.append(world.turn(replay_id, until_s=0.5))

    world.destination.after = meet
    outer = world.turn(replay_id)
    assert inner[0].goes_on
    assert not outer.goes_on
    world.destination.after = lambda: None
    world.work_off(replay_id)
    assert set(world.destination.times_sent) == set(EVERY)
    assert sum(world.destination.times_sent.values()) == 110
    assert world.replay(replay_id).state is ReplayState.COMPLETED


def test_a_lost_answer_to_a_checkpoint_is_no_other_worker(world):
    """The ledger says no to the retry of what it has: the turn goes on."""
    replay_id = world.apply(rate=40)
    real = world.replays.advance

    def answers_no(before, after, audit=None):
        real(before, as_kept(after), audit)
        return False

    world.replays.advance = answers_no
    world.clock.advance(timedelta(microseconds=123_456))
    world.surroundings.seen = Signs(throttled=True)
    turn = world.turn(replay_id)
    assert (turn.sent, turn.state) == (100, ReplayState.SENT)
    world.process(replay_id)
    assert world.turn(replay_id).state is ReplayState.COMPLETED


def as_kept(replay):
    """Return the replay as the table gives it back."""
    at = replay.updated_at
    return replace(
        replay,
        updated_at=at.replace(microsecond=at.microsecond // 1000 * 1000),
        current_rate=float(round(replay.current_rate)),
    )


@pytest.mark.parametrize("broken", [b"", b"nonsense", None])
def test_a_replay_of_a_broken_plan_has_failed(world, broken):
    """The object that is gone or another is named; put right, it goes on where it was."""
    key = world.plan.chunks[1].key
    replay_id = world.apply(rate=40)
    planned = world.objects.bodies.pop(key, b"")
    if broken is not None:
        world.objects.bodies[key] = broken
    for _ in range(2):
        turn = world.turn(replay_id)
        assert (turn.state, turn.goes_on) == (ReplayState.FAILED, False)
    failed = world.replay(replay_id)
    assert re.search(f"{key}.*make a new plan", failed.failed_because)
    assert world.destination.times_sent == {f"event-{n}": 1 for n in range(30)}
    assert failed.cursor == Cursor(0, 30, 30)
    actions = [each.action for each in world.replays.audit(replay_id)]
    assert actions == [Action.APPLY, Action.FAIL]
    world.objects.bodies[key] = planned
    world.wake.sent.clear()
    assert world.operations.resume(replay_id, "ana", "put back").failed_because == ""
    world.work_off(replay_id)
    assert world.destination.times_sent == {f"event-{n}": 1 for n in range(100)}
    assert world.replay(replay_id).state is ReplayState.COMPLETED


def test_a_plan_that_is_gone_has_failed(world):
    """So does a plan that its table no longer holds."""
    replay_id = world.apply()
    world.replays.plans.clear()
    assert world.turn(replay_id).state is ReplayState.FAILED
    assert "make a new plan" in world.replay(replay_id).failed_because


def test_an_unknown_replay_is_named(world):
    """The message can never succeed."""
    with pytest.raises(UnknownReplay, match="nobody"):
        world.turn("nobody")


@pytest.mark.parametrize("signs", [Signs((61,)), Signs(backlog=1001), Signs(throttled=True)])
def test_the_worker_gives_way_and_comes_back(new_world, signs):
    """Half as fast at each look while a sign is there; then step by step at the wanted rate."""
    world = new_world(1_000, 200)
    replay_id = world.apply(rate=100)
    world.surroundings.seen = signs
    world.turn(replay_id, until_s=4.5)
    slowed = world.replay(replay_id)
    assert slowed.current_rate == 12
    assert slowed.slowed_because != ""
    assert slowed.rate == 100
    world.surroundings.seen = Signs()
    world.turn(replay_id, until_s=30)
    back = world.replay(replay_id)
    assert (back.current_rate, back.slowed_because) == (100, "")


def test_the_worker_fills_the_queue_and_no_more(new_world):
    """At any rate as many as may wait are sent between two looks; held up, it says so."""
    world = new_world(2_500, 500)
    replay_id = world.apply(rate=10_000)
    world.turn(replay_id, until_s=1.5)
    held = world.replay(replay_id)
    assert (held.cursor.sent, held.current_rate) == (1_000, 10_000)
    assert "as many messages as may wait" in held.slowed_because
    world.surroundings.seen = Signs(backlog=700)
    world.turn(replay_id, until_s=1.5)
    assert world.replay(replay_id).cursor.sent == 1_300
    world.surroundings.seen = Signs()
    world.turn(replay_id, until_s=10)
    assert (world.replay(replay_id).state, len(world.destination.sent)) == (ReplayState.SENT, 2_500)


def test_a_pause_is_seen_while_the_queue_is_full(new_world):
    """Nothing is sent then, but the worker keeps looking at its replay."""
    world = new_world(2_500, 500)
    replay_id = world.apply(rate=10_000)
    world.surroundings.seen = Signs(backlog=1_000)
    world.stopwatch.wait = lambda _: world.operations.pause(replay_id, "ana", "enough")
    assert not world.turn(replay_id).goes_on
    assert world.replay(replay_id).state is ReplayState.PAUSED
    assert world.destination.sent == []


def test_an_empty_plan_completes(new_world):
    """Nothing is sent, and it ends."""
    world = new_world(0)
    replay_id = world.apply()
    world.work_off(replay_id)
    assert world.destination.sent == []
    assert world.replay(replay_id).state is ReplayState.COMPLETED


def test_a_replay_completes_when_all_events_are_counted_or_skipped(world):
    """Until then the worker looks again later; the audit says what came of it."""
    replay_id = world.apply()
    world.turn(replay_id)
    for _ in range(3):
        turn = world.turn(replay_id)
        assert (turn.sent, turn.state, turn.goes_on) == (0, ReplayState.SENT, True)
        assert world.wake.delays_s[-1] == 15
    left_out = world.destination.rounds[0].pop()
    world.process(replay_id)
    assert world.turn(replay_id).state is ReplayState.SENT
    world.replays.skip(
        replay_id, SkippedEvent(left_out.place, left_out.event_id, "object_missing", "gone")
    )
    turn = world.turn(replay_id)
    assert (turn.state, turn.goes_on) == (ReplayState.COMPLETED, False)
    assert actions(world, replay_id) == [Action.APPLY, Action.COMPLETE]
    done = world.replays.audit(replay_id)[-1]
    assert (done.who, done.result) == ("worker", "99 counted, 1 skipped")
    assert world.turn(replay_id) == replace(turn, sent=0)


def test_a_dry_run_completes_when_all_events_are_enriched(world):
    """Nothing is counted in one."""
    replay_id = world.apply(dry_run=True)
    world.turn(replay_id)
    assert world.turn(replay_id).state is ReplayState.SENT
    world.replays.mark_counted = lambda *_: None
    world.process(replay_id)
    assert world.turn(replay_id).state is ReplayState.COMPLETED


def test_a_queue_of_the_user_s_own_completes_when_all_is_sent(world):
    """Who reads it, and how far they are, is not known here."""
    replay_id = world.apply(queue_url="https://sqs/mine")
    turn = world.turn(replay_id)
    assert (turn.sent, turn.state, turn.goes_on) == (100, ReplayState.COMPLETED, False)
    assert "not known" in world.replays.audit(replay_id)[-1].result


def test_a_sent_replay_can_be_cancelled(world):
    """The look that comes later leaves it alone."""
    replay_id = world.apply()
    world.turn(replay_id)
    world.operations.cancel(replay_id, "bo", "wrong plan")
    assert world.turn(replay_id).state is ReplayState.CANCELLED
    assert actions(world, replay_id) == [Action.APPLY, Action.CANCEL]
