"""The worker on fakes: a stored plan, a queue, a stopwatch that only waits, and who is looking."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from aws_lambda_powertools import Logger

from millrace.aggregates import Version
from millrace.errors import RetryableError
from millrace.keys import plan_chunk_key
from millrace.raw_lines import pack
from millrace.replay.message import ReplayMessage
from millrace.replay.operations import Operations, Order, replay_named
from millrace.replay.plan import Plan, chunk_of
from millrace.replay.planned import PlannedEvent
from millrace.replay.progress import ProcessedObject, place_hash
from millrace.replay.record import Replay, ReplayState
from millrace_testing.builders import ARRIVAL, commit_of, event_bytes, index_entry
from millrace_testing.crash.tap import Tap
from millrace_testing.fakes import FakeObjects, FakeQueue, FixedClock
from millrace_testing.replays import FakeReplays, replay_plan
from replay.domain import Bounds, Signs
from replay.service import Turn, Worker

QUEUE_URL = "https://sqs/replay"
PLAN_ID = "20251228T093000Z-0a1b2c3d"


class FakeStopwatch:
    """`replay.ports.Stopwatch`: time passes by waiting, and by what sending takes; so does day."""

    def __init__(self, clock: FixedClock) -> None:
        self.now_s = 100.0
        self.waited: list[float] = []
        self._clock = clock

    def elapsed_s(self) -> float:
        """Return seconds since some fixed moment."""
        return self.now_s

    def wait(self, seconds: float) -> None:
        """Let them pass."""
        self.waited.append(seconds)
        self.now_s += seconds
        self._clock.advance(timedelta(seconds=seconds))


@dataclass
class FakeDestination:
    """`replay.ports.Destination` that keeps what it was sent; `before` and `after` may act."""

    rounds: list[list[ReplayMessage]] = field(default_factory=list)
    before: Callable[[], object] = lambda: None
    after: Callable[[], object] = lambda: None

    def send_all(self, bodies: Sequence[str]) -> None:
        """Keep them."""
        self.before()
        self.rounds.append([ReplayMessage.parse(body) for body in bodies])
        self.after()

    @property
    def sent(self) -> list[ReplayMessage]:
        return [message for each in self.rounds for message in each]

    @property
    def times_sent(self) -> Counter[str]:
        return Counter(message.event_id for message in self.sent)


@dataclass
class FakeSurroundings:
    """`replay.ports.Surroundings`: what it was told, or nothing."""

    seen: Signs = field(default_factory=Signs)
    looks: int = 0

    def signs(self, replay: Replay) -> Signs:
        """Return what is to be seen now."""
        self.looks += 1
        return self.seen


class World:
    """A plan of `events` in chunks, and everything that the worker touches."""

    def __init__(self, events: int = 100, chunk: int = 30) -> None:
        self.clock = FixedClock(ARRIVAL)
        self.replays, self.objects, self.wake = FakeReplays(), FakeObjects(), FakeQueue()
        self.stopwatch = FakeStopwatch(self.clock)
        self.destination, self.surroundings = FakeDestination(), FakeSurroundings()
        self.operations = Operations(self.replays, self.wake, QUEUE_URL, self.clock)
        self.plan = self._planned(events, chunk)

    def _planned(self, events: int, chunk: int) -> Plan:
        commit, _ = commit_of([event_bytes(n) for n in range(events)]) if events else (None, b"")
        lines = [
            PlannedEvent.of(index_entry(n, line=n), commit).to_line()
            for n in range(events)
            if commit
        ]
        chunks = []
        for number, start in enumerate(range(0, events, chunk)):
            mine = lines[start : start + chunk]
            key, body = plan_chunk_key(PLAN_ID, number), pack(mine).body
            self.objects.put_new(key, body)
            chunks.append(chunk_of(key, mine, body))
        plan = replay_plan(PLAN_ID, events=events, chunks=tuple(chunks))
        self.replays.save_plan(plan)
        return plan

    def apply(self, rate: int = 1000, *, dry_run: bool = False, queue_url: str = QUEUE_URL) -> str:
        order = Order("ana", "to see", rate, dry_run, again=True)
        return self.operations.apply(PLAN_ID, order, queue_url).replay_id

    def worker(self, tap: Tap | None = None) -> Worker:
        """Return the worker; every call of a port is reported to `tap`."""
        on = tap.on if tap else lambda port: port
        return Worker(
            ledger=on(self.replays),
            objects=on(self.objects),
            destination=lambda replay: on(self.destination),
            surroundings=on(self.surroundings),
            wake=on(self.wake),
            operations=Operations(on(self.replays), on(self.wake), QUEUE_URL, self.clock),
            clock=self.clock,
            stopwatch=self.stopwatch,
            bounds=Bounds(60, 1000),
            bucket="data",
            look_again_s=15,
            logger=Logger("replay-test", level="CRITICAL"),
        )

    def turn(self, replay_id: str, until_s: float = 60, tap: Tap | None = None) -> Turn:
        return self.worker(tap).turn(replay_id, until_s)

    def replay(self, replay_id: str) -> Replay:
        return self.replays.replay(replay_id)

    def process(self, replay_id: str) -> None:
        """Do what enrich and aggregate do with all that was sent: each place is counted once."""
        for number, messages in enumerate(self.destination.rounds):
            mine = [each for each in messages if each.replay_id == replay_id]
            places = frozenset(place_hash(each.place) for each in mine)
            made = ProcessedObject(str(number), f"enriched/{number}", places, counted=False)
            self.replays.list_object(replay_id, made)
            self.replays.mark_counted(replay_id, made.object_id, 1)

    def work_off(self, replay_id: str, until_s: float = 60, turns: int = 1000) -> None:
        """Run the worker on its wake-ups, and the processor, until nobody wakes it any more.

        A turn that fails comes again, as SQS brings it.
        """
        for _ in range(turns):
            if not self.wake.sent:
                return
            named = replay_named(self.wake.sent[0])
            if self.replay(replay_id).state is ReplayState.SENT:
                self.process(replay_id)
            try:
                self.turn(named, until_s)
            except RetryableError:
                continue
            del self.wake.sent[0], self.wake.delays_s[0]
        raise AssertionError(f"{self.replay(replay_id)} after {turns} turns")

    def version_of(self, replay_id: str) -> Version:
        return self.replay(replay_id).version


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def new_world() -> type[World]:
    return World
