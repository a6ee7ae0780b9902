"""Redrive: canaries, what stays, and being killed anywhere."""

from collections import Counter
from datetime import timedelta
from random import Random

import pytest

from millrace.dlq.canary import Verdict
from millrace.dlq.looking import Looking
from millrace.dlq.moving import Moving
from millrace.dlq.notes import NO_REFERENCE
from millrace.dlq.ports import MoveTask, TaskState
from millrace.dlq.redrive import CANARIES, Order, Redrive
from millrace.dlq.selection import Selection
from millrace_testing.builders import ARRIVAL
from millrace_testing.crash.wire import Crash
from millrace_testing.dead_letters import FakeConsumer, FakeDeadLetters, FakeNotes
from millrace_testing.fakes import FixedClock

pytestmark = pytest.mark.batch

SEED, KILLS = 20_251_228, 50
DENIED = "UpdateItem: arn:aws:sts::1:role/x is not allowed on table-1"
DENIED_SHAPE = "ConfigError: UpdateItem: * is not allowed on *"
FAST = 10_000


class World:
    """A dead-letter queue, its consumer, and whoever redrives."""

    def __init__(self, why=lambda body: "") -> None:
        self.clock = FixedClock(ARRIVAL)
        self.letters, self.notes = FakeDeadLetters(self.clock), FakeNotes()
        self.consumer = FakeConsumer(self.letters, self.notes, self.clock, why)
        self.waited_s = 0.0

    def wait(self, seconds: float) -> None:
        """Let time go by at once."""
        self.waited_s += seconds
        self.clock.advance(timedelta(seconds=seconds))

    def redrive(self, letters=None, notes=None) -> Redrive:
        return Redrive(letters or self.letters, notes or self.notes, self.clock, self.wait)

    def look(self, selection=None):
        selection = selection or Selection()
        return Looking(self.letters, self.notes, self.clock).look(selection, 10_000)


def reference(number: int, **fields: str) -> str:
    named = "".join(f', "{name}": "{value}"' for name, value in fields.items())
    return f'{{"v": 1, "commit_id": "commit-{number}"{named}}}'


@pytest.fixture
def denied() -> World:
    """Thirty messages that a missing right made fail; it is back."""
    world = World()
    for number in range(30):
        world.consumer.fail(reference(number), DENIED.replace("1", str(number)), age_s=number)
    world.clock.advance(timedelta(milliseconds=1))
    return world


def test_all_go_back_once_a_canary_is_done(denied):
    """One waits for the answer, the others follow; nothing is left and nothing is twice."""
    done = denied.redrive().redrive(Order(rate=FAST))
    assert (done.sent, done.left, done.verdicts) == (30, 0, {DENIED_SHAPE: Verdict.WORKS})
    assert Counter(denied.consumer.done) == Counter(reference(n) for n in range(30))
    assert [canary != "" for _, canary in denied.letters.sent] == [True] + [False] * 29
    assert denied.letters.depth().total == 0


def test_a_consumer_that_still_fails_gets_the_canaries_alone(denied):
    """They come back by themselves; the others never leave, and can be received at once."""
    denied.consumer.why = lambda body: DENIED
    done = denied.redrive().redrive(Order(rate=FAST))
    assert (done.sent, done.failed_canaries, done.kept.total()) == (0, CANARIES, 30 - CANARIES)
    assert done.verdicts == {DENIED_SHAPE: Verdict.STILL_FAILS}
    assert len(denied.letters.sent) == CANARIES
    assert denied.letters.free == denied.letters.depth().total == 30


def test_force_asks_no_canary(denied):
    """All go, whatever comes of it; none goes round twice."""
    denied.consumer.why = lambda body: DENIED
    done = denied.redrive().redrive(Order(rate=FAST, force=True))
    assert (done.sent, done.newer) == (30, 30)
    assert {canary for _, canary in denied.letters.sent} == {""}


def test_a_silent_consumer_gets_one_message(denied):
    """No news before the deadline is no good news: the wait is as long as was said."""
    denied.letters.consume = lambda body, canary: None
    done = denied.redrive().redrive(Order(rate=FAST, wait_s=20))
    assert done.verdicts == {DENIED_SHAPE: Verdict.NO_NEWS}
    assert (done.failed_canaries, denied.waited_s) == (1, 20)


def test_poison_stops_none_but_its_like(denied):
    """A body that is no reference fails again and stays; every other group goes."""
    denied.consumer.why = lambda body: "" if body.startswith("{") else "not JSON"
    denied.letters.put("poison")
    done = denied.redrive().redrive(Order(rate=FAST))
    assert (done.sent, done.failed_canaries) == (30, 1)
    assert done.verdicts == {DENIED_SHAPE: Verdict.WORKS, NO_REFERENCE: Verdict.STILL_FAILS}
    assert denied.letters.bodies == ["poison"]


def test_poison_hidden_among_the_others_does_not_stop_them():
    """Without a note all look alike: another canary is asked when the first fails."""
    world = World(lambda body: "gone" if "commit-0" in body else "")
    for number in range(20):
        world.letters.put(reference(number))
    done = world.redrive().redrive(Order(rate=FAST))
    assert (done.sent, done.failed_canaries, done.kept.total()) == (19, 1, 0)
    assert world.letters.bodies == [reference(0)]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(error="not ALLOWED"), range(30)),
        (Selection(error="timeout"), ()),
        (Selection(older_than=timedelta(seconds=20)), range(20, 30)),
        (Selection(newer_than=timedelta(seconds=20)), range(20)),
        (Selection(message_ids=frozenset({"message-3", "message-7"})), (3, 7)),
        (Selection(replay_id="r1"), ()),
        (Selection(limit=12), range(12)),
    ],
)
def test_only_what_is_meant_goes(denied, selection, expected):
    """By error, age, id, replay or number; looking shows the same, and the rest stays."""
    meant = [reference(number) for number in expected]
    assert [each.letter.body for each in denied.look(selection).seen] == meant
    denied.redrive().redrive(Order(selection, rate=FAST))
    assert sorted(denied.consumer.done) == sorted(meant)
    assert denied.letters.free == 30 - len(meant)


def test_a_replay_can_be_redriven_alone():
    """Its messages name it, whatever else lies there."""
    world = World()
    for number in range(10):
        world.letters.put(reference(number, replay_id=f"replay-{number % 2}"))
    world.redrive().redrive(Order(Selection(replay_id="replay-1"), rate=FAST))
    assert sorted(world.consumer.done) == [
        reference(number, replay_id="replay-1") for number in (1, 3, 5, 7, 9)
    ]


def test_the_rate_is_kept(denied):
    """Thirty at five a second take six seconds, less the canary's share."""
    denied.redrive().redrive(Order(rate=5))
    assert denied.waited_s == pytest.approx(29 / 5)


def test_a_redrive_ends_when_its_time_is_over():
    """What fits is sent, and it says that something may be left."""
    world = World()
    for number in range(1200):
        world.letters.put(reference(number))
    until = world.clock.now() + timedelta(seconds=3)
    done = world.redrive().redrive(Order(rate=100, until=until))
    assert done.ended_early
    assert 290 <= done.sent <= 310
    assert world.letters.free == 1200 - done.sent


def test_looking_takes_nothing(denied):
    """Depth, groups and age; afterwards every message can be received by anybody."""
    denied.letters.put("poison", age_s=1000)
    look = denied.look()
    assert look.depth.total == 31
    assert [(each.label, each.messages) for each in look.groups] == [
        (DENIED_SHAPE, 30),
        (NO_REFERENCE, 1),
    ]
    assert look.oldest == denied.clock.now() - timedelta(seconds=1000)
    assert denied.letters.free == 31


class Dying:
    """A port whose process dies at one call, before or after its effect, and stays dead."""

    def __init__(self, port, life) -> None:
        self._port, self._life = port, life

    def __getattr__(self, name):
        value = getattr(self._port, name)
        return value if not callable(value) else lambda *args: self._life.live(value, args)


class Life:
    def __init__(self, at: int, *, after: bool) -> None:
        self.left, self.after = at, after

    def live(self, call, args):
        self.left -= 1
        if self.left < 0 and not (self.left == -1 and self.after):
            raise Crash("killed")
        answer = call(*args)
        if self.left < 0:
            raise Crash("killed")
        return answer


def test_a_redrive_killed_fifty_times_loses_nothing(figures):
    """At random calls: each message is done, at least once, and poison alone is left."""
    draw = Random(SEED)
    world = World(lambda body: "not JSON" if body.startswith("poison") else "")
    for number in range(600):
        world.consumer.fail(reference(number), DENIED)
    world.letters.put("poison")
    for _ in range(KILLS):
        life = Life(draw.randrange(60), after=draw.random() < 0.5)
        dying = world.redrive(Dying(world.letters, life), Dying(world.notes, life))
        with pytest.raises(Crash):
            dying.redrive(Order(Selection(limit=300), rate=FAST))
        assert set(world.consumer.done) | set(world.letters.bodies) == {
            "poison",
            *map(reference, range(600)),
        }
        world.clock.advance(timedelta(minutes=10))  # what the dead one held comes free
    world.redrive().redrive(Order(rate=FAST))
    times = Counter(world.consumer.done)
    assert set(times) == set(map(reference, range(600)))
    assert set(world.letters.bodies) == {"poison"}
    figures(f"redrive killed {KILLS} times: {times.total()} deliveries of 600 messages")


class FakeMoves:
    """`millrace.dlq.ports.MoveTasks` that moves all there is, in two looks."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.rates: list[int] = []
        self.task: MoveTask | None = None

    def start(self, rate: int) -> None:
        self.rates.append(rate)
        self.task = MoveTask(TaskState.RUNNING, 0, len(self._world.letters.bodies), "handle")

    def latest(self) -> MoveTask | None:
        task = self.task
        if task and task.state is TaskState.CANCELLING:
            self.task = MoveTask(TaskState.CANCELLED, task.moved, task.to_move)
        if task and task.state is TaskState.RUNNING and (bodies := self._world.letters.bodies):
            some = self._world.letters.receive(10, 60)
            self._world.letters.send_back(some)
            self._world.letters.delete(some)
            moved = task.moved + len(some)
            state = TaskState.COMPLETED if len(some) == len(bodies) else TaskState.RUNNING
            self.task = MoveTask(state, moved, task.to_move, "handle")
        return task

    def cancel(self, handle: str) -> None:
        self.task = MoveTask(TaskState.CANCELLING, 0, 0)


def moving(world: World) -> tuple[Moving, FakeMoves]:
    moves = FakeMoves(world)
    return Moving(world.redrive(), moves, world.wait), moves


def filled(count: int, why=lambda body: "") -> World:
    world = World(why)
    for number in range(count):
        world.letters.put(reference(number))
    return world


def test_sqs_moves_the_rest_of_a_large_queue():
    """After a sample that went well; in the end all is where it failed, once."""
    world = filled(800)
    use_case, moves = moving(world)
    done = use_case.move(Order(rate=FAST))
    assert (done.sent, done.left, done.ended_early, moves.rates) == (800, 0, False, [FAST])
    assert Counter(world.consumer.done).total() == 800


def test_sqs_moves_nothing_when_a_group_has_to_stay():
    """Its task would take the poison along: the rest goes one by one."""
    world = filled(800, lambda body: "" if body.startswith("{") else "not JSON")
    world.letters.put("poison")
    world.letters._lying = dict(reversed(world.letters._lying.items()))
    use_case, moves = moving(world)
    done = use_case.move(Order(rate=FAST))
    assert (done.sent, done.failed_canaries, moves.rates) == (800, 1, [])
    assert world.letters.bodies == ["poison"]


def test_a_small_queue_needs_no_task():
    """The sample is all of it."""
    use_case, moves = moving(filled(20))
    assert (use_case.move(Order(rate=FAST)).sent, moves.rates) == (20, [])


def test_a_running_task_is_taken_up_again_or_cancelled():
    """Whoever was interrupted sees it to its end, or ends it."""
    world = filled(20)
    use_case, moves = moving(world)
    moves.start(100)
    assert use_case.move(Order()).sent == 20
    moves.start(100)
    cancelled = use_case.cancel()
    assert cancelled is not None
    assert use_case.cancel() is None


def test_a_task_that_is_being_cancelled_ends_before_the_next_begins():
    """SQS runs one task a queue: starting beside it would be refused."""
    world = filled(800)
    use_case, moves = moving(world)
    moves.start(100)
    use_case.cancel()
    use_case.move(Order(rate=FAST))
    assert world.letters.bodies == []
    assert moves.rates == [100, FAST]
    assert moves.task is not None
    assert moves.task.state is TaskState.COMPLETED
