"""The worker and apply, broken at each of their AWS calls, on the local engine."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from aws_lambda_powertools import Logger

from millrace.aws.objects import S3Objects
from millrace.aws.queue import SqsBatches, SqsQueue
from millrace.aws.replays import DynamoReplays
from millrace.clock import Clock, SystemClock
from millrace.keys import plan_chunk_key
from millrace.raw_lines import pack
from millrace.replay.message import ReplayMessage
from millrace.replay.operations import Operations, Order
from millrace.replay.plan import chunk_of
from millrace.replay.planned import PlannedEvent
from millrace.replay.progress import ProcessedObject, place_hash
from millrace.replay.record import Replay, ReplayState
from millrace_testing.builders import commit_of, event_bytes, index_entry
from millrace_testing.crash.clients import clients_on
from millrace_testing.crash.explore import explore
from millrace_testing.crash.wire import FaultKind, Wire
from millrace_testing.replays import replay_plan
from millrace_testing.tables import REPLAYS, create_table
from replay.adapters import SideBySide
from replay.domain import Bounds, Signs
from replay.service import Worker

pytestmark = [pytest.mark.engine, pytest.mark.exhaustive, pytest.mark.batch]

EVENTS, CHUNK = 20, 12
_hours = count(1)
APPLY_FAULTS = (FaultKind.CRASH_BEFORE, FaultKind.CRASH_AFTER, FaultKind.TIMEOUT_AFTER)
# The worker killed before and after each call: test_crash_points, on fakes, at no cost.
WORKER_FAULTS = (FaultKind.TIMEOUT_AFTER, FaultKind.PAUSE_AFTER)


class NoTime:
    """A stopwatch that stands: pacing is another test's."""

    def elapsed_s(self) -> float:
        """Return seconds since some fixed moment."""
        return 0.0

    def wait(self, seconds: float) -> None:
        """Do not wait."""


class NobodyElse:
    """Surroundings in which nothing speaks for sending less; reading them is another test's."""

    def signs(self, replay: Replay) -> Signs:
        """Return nothing."""
        return Signs()


class LaterClock:
    """The machine's clock, some hours on: each story has seconds, and so versions, of its own."""

    def __init__(self, hours: int) -> None:
        self._by = timedelta(hours=hours)

    def now(self) -> datetime:
        """Return the time."""
        return SystemClock().now() + self._by


@dataclass
class Process:
    """One process's clients: what a crash takes with it. `suffix` names the table and bucket."""

    dynamodb: Any
    s3: Any
    sqs: Any
    suffix: str

    @classmethod
    def on(cls, endpoint: str, suffix: str, wire: Wire | None = None) -> "Process":
        return cls(*clients_on(endpoint, "dynamodb", "s3", "sqs", wire=wire), suffix)

    @property
    def replays(self) -> DynamoReplays:
        return DynamoReplays(self.dynamodb, f"replays-{self.suffix}")

    @property
    def objects(self) -> S3Objects:
        return S3Objects(self.s3, f"data-{self.suffix}")

    def operations(self, queue_url: str, work_url: str, clock: Clock) -> Operations:
        return Operations(self.replays, SqsQueue(self.sqs, work_url), queue_url, clock)

    def worker(self, queue_url: str, work_url: str, clock: Clock) -> Worker:
        one_thread = ThreadPoolExecutor(1)
        return Worker(
            ledger=self.replays,
            objects=self.objects,
            destination=lambda replay: SideBySide(
                SqsBatches(self.sqs, replay.queue_url), one_thread
            ),
            surroundings=NobodyElse(),
            wake=SqsQueue(self.sqs, work_url),
            operations=self.operations(queue_url, work_url, clock),
            clock=clock,
            stopwatch=NoTime(),
            bounds=Bounds(60, 1000),
            bucket=f"data-{self.suffix}",
            look_again_s=0,
            logger=Logger("replay-test", level="CRITICAL"),
        )


@dataclass
class ReplayStory:
    """A plan of some events in two chunks, applied; the worker meets a fault."""

    first: Process
    clean: Process
    name: str = field(default_factory=lambda: uuid4().hex[:8])

    def __post_init__(self) -> None:
        """Store the plan and make the queues."""
        self.urls = [
            self.clean.sqs.create_queue(QueueName=f"{self.name}-{queue}")["QueueUrl"]
            for queue in ("replay", "work")
        ]
        self.plan_id = f"20251228T093000Z-{self.name}"
        commit, _ = commit_of([event_bytes(n) for n in range(EVENTS)])
        lines = [PlannedEvent.of(index_entry(n, line=n), commit).to_line() for n in range(EVENTS)]
        chunks = []
        for number, start in enumerate(range(0, EVENTS, CHUNK)):
            key, mine = plan_chunk_key(self.plan_id, number), lines[start : start + CHUNK]
            body = pack(mine).body
            self.clean.objects.put_new(key, body)
            chunks.append(chunk_of(key, mine, body))
        self.clean.replays.save_plan(replay_plan(self.plan_id, events=EVENTS, chunks=tuple(chunks)))
        self.sent: set[str] = set()
        self.clock = LaterClock(next(_hours))
        self.begin()

    def begin(self) -> None:
        """Apply it unhurt: only the worker meets the fault."""
        self.replay = self.apply(self.clean)

    def apply(self, process: Process) -> Replay:
        return process.operations(*self.urls, self.clock).apply(
            self.plan_id, Order("ana", "to see", 40)
        )

    def turn(self, process: Process) -> ReplayState:
        return process.worker(*self.urls, self.clock).turn(self.replay.replay_id, 60).state

    def attempt(self) -> None:
        """Send all, see it processed, and look whether it is."""
        self.turn(self.first)
        self.process()
        self.turn(self.first)

    def retry(self) -> None:
        """There is none: a single fault is explored."""

    def recover(self) -> None:
        """Deliver the wake-up again, and have the processor count what was sent."""
        for _ in range(4):
            if self.turn(self.clean) is ReplayState.COMPLETED:
                return
            self.process()

    def process(self) -> None:
        """Read what was sent, and count it as enrich and aggregate do."""
        queue = {"QueueUrl": self.urls[0], "MaxNumberOfMessages": 10}
        while got := self.clean.sqs.receive_message(**queue).get("Messages"):
            messages = [ReplayMessage.parse(each["Body"]) for each in got]
            self.sent |= {each.event_id for each in messages}
            places = frozenset(place_hash(each.place) for each in messages)
            made = ProcessedObject(uuid4().hex, "enriched/x", places, counted=False)
            replay_id = messages[0].replay_id
            self.clean.replays.list_object(replay_id, made)
            self.clean.replays.mark_counted(replay_id, made.object_id, 1)

    def observe(self) -> dict[str, Any]:
        """Return what readers see: the plan's replays, where each stands, and its audit."""
        operations = self.clean.operations(*self.urls, self.clock)
        found = map(operations.status, self.clean.replays.replays_of_plan(self.plan_id))
        return {
            "sent": self.sent,
            "replays": [
                (each.replay.state, each.replay.cursor, each.progress, len(each.audit))
                for each in found
            ],
        }


class ApplyStory(ReplayStory):
    """The same, but it is apply that meets the fault; somebody applies again."""

    def begin(self) -> None:
        """Nothing yet."""

    def attempt(self) -> None:
        """Apply the plan."""
        self.apply(self.first)

    def recover(self) -> None:
        """Apply it again, and let it run."""
        self.replay = self.apply(self.clean)
        super().recover()


@pytest.fixture(scope="module")
def stage(engine) -> tuple[Wire, Process, Process]:
    wire, suffix = Wire(), uuid4().hex[:8]
    clean = Process.on(engine.endpoint, suffix)
    create_table(clean.dynamodb, f"replays-{suffix}", REPLAYS)
    clean.s3.create_bucket(Bucket=f"data-{suffix}")
    return wire, Process.on(engine.endpoint, suffix, wire), clean


def test_every_crash_point_of_the_worker_survives(stage, figures):
    """Whatever call goes wrong, zombies included: all is sent and counted, and it ends once."""
    wire, first, clean = stage
    outcome = explore(lambda: ReplayStory(first, clean), wire, WORKER_FAULTS)
    figures(f"replay's worker: {outcome.summary()}")
    assert outcome.survivors == outcome.points, str(outcome)
    assert {"SendMessageBatch", "TransactWriteItems", "SendMessage"} <= set(outcome.calls)


def test_every_crash_point_of_apply_survives(stage, figures):
    """Whoever applies again ends with one replay of the plan, and it is sent whole."""
    wire, first, clean = stage
    outcome = explore(lambda: ApplyStory(first, clean), wire, APPLY_FAULTS)
    figures(f"replay's apply: {outcome.summary()}")
    assert outcome.survivors == outcome.points, str(outcome)
    assert {"PutItem", "TransactWriteItems", "SendMessage"} <= set(outcome.calls)
