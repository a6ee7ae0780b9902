"""What a person does with replays, on fakes."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from millrace.errors import RetryableError
from millrace.replay.errors import InvalidRequest, UnknownReplay
from millrace.replay.operations import MAX_RATE, Operations, Order, replay_named, work_body
from millrace.replay.progress import ProcessedObject, Progress, SkippedEvent, place_hash
from millrace.replay.record import Action, Cursor, InvalidMove, ReplayState, moved
from millrace_testing.builders import ARRIVAL
from millrace_testing.fakes import FakeQueue, FixedClock
from millrace_testing.replays import FakeReplays, replay_plan

ORDER = Order("ana", "a wrong price", 100)
PLAN = replay_plan(events=3)


class World:
    """A stored plan, and what operations touch."""

    def __init__(self) -> None:
        self.clock, self.replays, self.work = FixedClock(ARRIVAL), FakeReplays(), FakeQueue()
        self.replays.save_plan(PLAN)
        self.operations = Operations(self.replays, self.work, "https://sqs/replay", self.clock)

    def apply(self, order: Order = ORDER, **fields):
        return self.operations.apply(PLAN.plan_id, replace(order, **fields))

    def checkpoint(self, replay_id: str, **fields) -> None:
        """Move the replay on as the worker does."""
        before = self.replays.replay(replay_id)
        assert self.replays.advance(before, replace(before, step=before.step + 1, **fields))

    def actions(self, replay_id: str) -> list[Action]:
        return [each.action for each in self.replays.audit(replay_id)]


@pytest.fixture
def world() -> World:
    return World()


def test_a_plan_is_applied(world):
    """A running replay, its version reserved, the order in the audit, the worker awake."""
    replay = world.apply()
    assert replay == world.replays.replay(replay.replay_id)
    assert (replay.state, replay.messages, replay.rate) == (ReplayState.RUNNING, 3, 100)
    assert (replay.plan_id, replay.plan_hash) == (PLAN.plan_id, PLAN.plan_hash)
    assert replay.version == str(int(ARRIVAL.timestamp()))
    assert world.replays.versions == {replay.version: replay.replay_id}
    assert world.work.sent == [work_body(replay.replay_id)]
    (audit,) = world.replays.audit(replay.replay_id)
    assert (audit.who, audit.action, audit.reason) == ("ana", Action.APPLY, "a wrong price")
    assert audit.result == f"3 messages at 100/s into version {replay.version}"


def test_applying_twice_does_it_once(world):
    """The second time the worker is woken again, whoever asks and however late."""
    first = world.apply()
    world.clock.advance(timedelta(hours=1))
    assert world.apply(who="bo", rate=7) == first
    assert list(world.replays.records) == [first.replay_id]
    assert world.work.sent == [work_body(first.replay_id)] * 2
    assert world.actions(first.replay_id) == [Action.APPLY]


@pytest.mark.parametrize(
    ("state", "woken"),
    [(ReplayState.SENT, 1), (ReplayState.PAUSED, 0), (ReplayState.COMPLETED, 0)],
)
def test_applying_again_wakes_only_what_has_work(world, state, woken):
    """What is paused stays so; what is completed is returned as it is."""
    replay = world.apply()
    world.checkpoint(replay.replay_id, state=state)
    world.work.sent.clear()
    assert world.apply().state is state
    assert len(world.work.sent) == woken


def test_a_cancelled_replay_does_not_stand_in_the_way(world):
    """The plan can be applied again, in the same second too: into a version of its own."""
    first = world.apply()
    world.operations.cancel(first.replay_id, "ana", "too fast")
    second = world.apply(rate=10)
    assert second.version != first.version
    assert second.state is ReplayState.RUNNING


@pytest.mark.parametrize("apart", [timedelta(milliseconds=1), timedelta(seconds=5)])
def test_again_makes_a_new_version(world, apart):
    """Each order of it, also two in one second."""
    replays = []
    for _ in range(3):
        replays.append(world.apply(again=True))
        world.clock.advance(apart)
    assert len({each.version for each in replays}) == 3
    assert len({each.replay_id for each in replays}) == 3
    assert len(world.replays.records) == 3


def test_two_plans_in_one_second_have_two_versions(world):
    """The second one takes the next second."""
    other = replay_plan("20251228T093000Z-ffffffff", events=3)
    world.replays.save_plan(other)
    first = world.apply()
    second = world.operations.apply(other.plan_id, ORDER)
    assert int(second.version) == int(first.version) + 1


def test_a_dry_run_does_not_stand_for_the_replay(world):
    """After looking at what would be written the same plan is applied for good; each once."""
    dry = world.apply(dry_run=True)
    wet = world.apply()
    assert (dry.dry_run, wet.dry_run) == (True, False)
    assert dry.replay_id != wet.replay_id
    assert world.apply(dry_run=True) == dry
    assert world.apply() == wet


def test_a_queue_of_the_user_s_own_is_another_application(world):
    """Sending a plan to somebody else does not count as having replayed it."""
    mine = world.operations.apply(PLAN.plan_id, ORDER, "https://sqs/mine")
    assert mine.queue_url == "https://sqs/mine"
    assert world.apply().queue_url == "https://sqs/replay"
    assert world.operations.apply(PLAN.plan_id, ORDER, "https://sqs/mine") == mine


@pytest.mark.parametrize("cancelled", [False, True])
def test_two_orders_at_once_start_one_replay(world, cancelled):
    """Each found nothing that was applied, seconds apart; the second is told of the first."""
    if cancelled:
        world.operations.cancel(world.apply().replay_id, "ana", "too fast")
        world.clock.advance(timedelta(seconds=5))
    real, found = world.replays.start, []

    def start(*arguments, **named):
        world.replays.start = real
        found.append(world.apply(who="bo"))
        world.clock.advance(timedelta(seconds=5))
        return real(*arguments, **named)

    world.replays.start = start
    world.clock.advance(timedelta(seconds=-1))
    replay = world.apply()
    assert [replay] == found
    assert replay.started_by == "bo"
    running = [each for each in world.replays.replays() if each.state is ReplayState.RUNNING]
    assert running == [replay]


def test_a_move_needs_a_reason(world):
    """Pause, resume and cancel as apply does; nothing has moved."""
    replay = world.apply()
    for move in (world.operations.pause, world.operations.resume, world.operations.cancel):
        with pytest.raises(InvalidRequest, match="reason"):
            move(replay.replay_id, "ana", " ")
    assert world.replays.replay(replay.replay_id) == replay


def test_a_lost_answer_to_the_start_is_the_same_replay(world):
    """The ledger says that it is there already: with `again` too, that is no other one."""
    real = world.replays.start
    world.clock.advance(timedelta(microseconds=7))
    world.replays.start = lambda *args, **named: real(*args, **named) and False
    replay = world.apply(again=True)
    assert list(world.replays.records.values()) == [replay]


def test_an_apply_that_died_is_finished_by_the_next(world):
    """Whether it had reserved a version only, or started the replay."""
    world.work.send = _refuse
    with pytest.raises(RetryableError):
        world.apply()
    del world.work.send
    (started,) = world.replays.records
    assert world.apply().replay_id == started
    assert world.work.sent == [work_body(started)]


def _refuse(body, *, delay_s=0):
    raise RetryableError("the queue is away")


def test_versions_run_out_with_a_word(world):
    """No endless search for a free one."""
    world.replays.reserve_version = lambda *_: False
    with pytest.raises(RetryableError, match="no free version"):
        world.apply()


@pytest.mark.validation
@pytest.mark.parametrize(
    ("fields", "field"),
    [({"reason": ""}, "reason"), ({"reason": " \n"}, "reason"), ({"rate": 0}, "rate"),
     ({"rate": -5}, "rate"), ({"rate": MAX_RATE + 1}, "rate")],
)  # fmt: skip
def test_an_order_that_cannot_be_meant_is_refused(world, fields, field):
    """The field is named, and nothing is started."""
    with pytest.raises(InvalidRequest) as caught:
        world.apply(**fields)
    assert caught.value.field == field
    assert (world.replays.records, world.replays.versions, world.work.sent) == ({}, {}, [])


def test_a_laptop_needs_no_reason(world):
    """Where it is not required it may be left out."""
    own = replace(world.operations, reason_required=False)
    assert own.apply(PLAN.plan_id, replace(ORDER, reason="", rate=MAX_RATE)).reason == ""


def test_what_is_unknown_is_named(world):
    """A plan or a replay that is not there."""
    with pytest.raises(UnknownReplay, match="no plan p-1"):
        world.operations.apply("p-1", ORDER)
    for act in (world.operations.pause, world.operations.resume, world.operations.cancel):
        with pytest.raises(UnknownReplay, match="no replay r-1"):
            act("r-1", "ana", "why")
    with pytest.raises(UnknownReplay, match="no replay r-1"):
        world.operations.status("r-1")


def test_pause_resume_and_cancel(world):
    """Each moves the replay, says in the audit how far it was, and resume wakes the worker."""
    replay_id = world.apply().replay_id
    world.checkpoint(replay_id, cursor=Cursor(0, 2, 2))
    world.work.sent.clear()
    for action, state in (
        ("pause", ReplayState.PAUSED),
        ("resume", ReplayState.RUNNING),
        ("resume", ReplayState.RUNNING),
        ("cancel", ReplayState.CANCELLED),
    ):
        world.clock.advance(timedelta(seconds=1))
        after = getattr(world.operations, action)(replay_id, "bo", f"to {action}")
        assert after == world.replays.replay(replay_id)
        assert (after.state, after.cursor.sent) == (state, 2)
    assert len(world.work.sent) == 2
    last = world.replays.audit(replay_id)[-1]
    assert (last.who, last.reason, last.result) == ("bo", "to cancel", "2 of 3 messages sent")
    assert len(world.replays.audit(replay_id)) == 5


@pytest.mark.validation
@pytest.mark.parametrize(
    ("state", "refused"),
    [
        (ReplayState.RUNNING, ()),
        (ReplayState.PAUSED, ("pause",)),
        (ReplayState.SENT, ("pause", "resume")),
        (ReplayState.COMPLETED, ("pause", "resume", "cancel")),
        (ReplayState.CANCELLED, ("pause", "resume", "cancel")),
    ],
)
def test_a_move_that_does_not_fit_is_refused(world, state, refused):
    """The state is named, and what the move needs; nothing changes."""
    for action in ("pause", "resume", "cancel"):
        replay_id = world.apply(again=True).replay_id
        world.clock.advance(timedelta(milliseconds=1))
        world.checkpoint(replay_id, state=state)
        move = getattr(world.operations, action)
        if action not in refused:
            move(replay_id, "bo", "why")
            continue
        before = world.replays.replay(replay_id)
        with pytest.raises(InvalidMove, match=f"is {state.value}; {action} needs it .*running"):
            move(replay_id, "bo", "why")
        assert world.replays.replay(replay_id) == before
        assert world.actions(replay_id) == [Action.APPLY]


def test_only_what_is_sent_completes():
    """The worker's own move keeps to the same table."""
    assert moved(ReplayState.SENT, Action.COMPLETE) is ReplayState.COMPLETED
    with pytest.raises(InvalidMove, match="complete needs it sent"):
        moved(ReplayState.RUNNING, Action.COMPLETE)
    assert [each for each in ReplayState if each.ended] == [
        ReplayState.COMPLETED, ReplayState.CANCELLED, ReplayState.FAILED,
    ]  # fmt: skip


def test_a_person_wins_over_the_worker_s_checkpoints(world):
    """A checkpoint between reading and writing is read again; its cursor is kept."""
    replay_id = world.apply().replay_id
    real, left = world.replays.advance, [3]

    def advance(before, after, audit=None):
        if left[0]:
            left[0] -= 1
            there = world.replays.replay(replay_id)
            real(there, replace(there, step=there.step + 1, cursor=Cursor(0, 3 - left[0], 3)))
        return real(before, after, audit)

    world.replays.advance = advance
    paused = world.operations.pause(replay_id, "bo", "slow")
    assert (paused.state, paused.cursor, paused.step) == (ReplayState.PAUSED, Cursor(0, 3, 3), 4)
    assert world.actions(replay_id) == [Action.APPLY, Action.PAUSE]
    left[0] = 1_000
    with pytest.raises(RetryableError, match="changed 20 times"):
        world.operations.cancel(replay_id, "bo", "slow")


def test_a_worker_that_finishes_first_wins(world):
    """What was sent while somebody asked for a pause cannot be paused: the state is named."""
    replay_id = world.apply().replay_id
    real = world.replays.advance

    def advance(before, after, audit=None):
        world.replays.advance = real
        world.checkpoint(replay_id, state=ReplayState.SENT)
        return real(before, after, audit)

    world.replays.advance = advance
    with pytest.raises(InvalidMove, match="is sent"):
        world.operations.pause(replay_id, "bo", "slow")


def process(world, replay_id, object_id, places, *, counted):
    hashes = frozenset(map(place_hash, places))
    world.replays.list_object(replay_id, ProcessedObject(object_id, "k", hashes, counted=False))
    if counted:
        world.replays.mark_counted(replay_id, object_id, 1)


@pytest.mark.parametrize(("dry_run", "settled"), [(False, False), (True, True)])
def test_status_tells_what_became_of_the_events(world, dry_run, settled):
    """Every event is counted (of a dry run: enriched) or skipped when it is settled."""
    replay_id = world.apply(dry_run=dry_run).replay_id
    assert not world.operations.status(replay_id).settled
    process(world, replay_id, "a", "xy", counted=False)
    process(world, replay_id, "b", "y", counted=True)
    gone = SkippedEvent("z", "e", "object_missing", "gone")
    world.replays.skip(replay_id, gone)
    status = world.operations.status(replay_id)
    assert status.progress == Progress(enriched=2, counted=1, skipped=1)
    assert (list(status.skipped), status.settled) == ([gone], settled)
    assert [each.action for each in status.audit] == [Action.APPLY]
    process(world, replay_id, "a", "xy", counted=True)
    assert world.operations.status(replay_id).settled


def test_an_event_both_skipped_and_enriched_counts_once(world):
    """Found gone by one delivery and read by another: it is not two of the messages."""
    replay_id = world.apply().replay_id
    process(world, replay_id, "a", "xy", counted=True)
    world.replays.skip(replay_id, SkippedEvent("x", "e", "object_missing", "gone"))
    assert world.operations.status(replay_id).progress == Progress(2, 2, 0)
    assert not world.operations.status(replay_id).settled


@pytest.mark.parsing
@pytest.mark.parametrize("body", ["", "{", "[]", '"r"', "{}", '{"replay_id": 7}'])
def test_a_wake_up_that_names_no_replay_is_refused(body):
    """It will never do so."""
    with pytest.raises(InvalidRequest):
        replay_named(body)
    assert replay_named(work_body("r#1")) == "r#1"
    assert orjson.loads(work_body("r")) == {"replay_id": "r"}
