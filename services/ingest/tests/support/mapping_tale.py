"""Ingest's real service as the function of the simulated event source mapping, over fakes.

Attempts crash at any call, lose an answer, are throttled or become zombies that go on after the
retry; batches are bisected, given up and repaired; shards are split and merged; the mapping itself
crashes. What the ledger then says must be what one clean pass would have said.
"""

import threading
from base64 import b64decode
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

import orjson
from aws_lambda_powertools import Logger
from fake_gate import FakeGate
from ingest_stories import IngestStory

from ingest.domain.records import StreamRecord, judge
from ingest.service import Ingest
from millrace.commit import CommitHead, Owner, ShardKey
from millrace.errors import RetryableError
from millrace.event import EventLimits
from millrace.raw_lines import unpack
from millrace.reference import Reference
from millrace_mapping.core.discards import Discard
from millrace_mapping.core.outcome import Answer
from millrace_mapping.core.records import StreamRecord as KinesisRecord
from millrace_mapping.core.records import event_payload
from millrace_mapping.core.retrying import Batch
from millrace_mapping.core.settings import FOR_EVER, MappingSettings, Origin, Start
from millrace_mapping.simulation.faults import SeededWeather
from millrace_mapping.simulation.roles import Attempt
from millrace_mapping.simulation.schedule import Plan, Run, Tale, build
from millrace_testing.builders import ARRIVAL, event_bytes
from millrace_testing.crash.tap import Tap
from millrace_testing.crash.wire import Crash
from millrace_testing.discards import FakeDiscards
from millrace_testing.fakes import FakeLedger, FakeObjects, FakeQueue
from watch.service import Watch

INCARNATION = "1a2b3c4d"
QUIET = Logger(service="mapping-tale", level="CRITICAL")
_QUEUE = "arn:aws:sqs:us-east-1:000000000000:discarded"
_CALLS = 8  # about as many as a batch makes: a fault beyond the last one does not happen
_NUMBERS = 40
_REPAIRS = 50  # three in ten fail
LIMITS = EventLimits()
FAULTS = ("crash before", "crash after", "lost", "unresolved", "zombie", "throttled")


class Clock:
    """The simulation's time, as ingest reads it."""

    def __init__(self) -> None:
        self.at = ARRIVAL.timestamp()

    def now(self) -> datetime:
        """Return the time."""
        return datetime.fromtimestamp(self.at, UTC)


@dataclass
class Stores:
    """What outlives every attempt."""

    ledger: FakeLedger = field(default_factory=FakeLedger)
    gate: FakeGate = field(default_factory=FakeGate)
    objects: FakeObjects = field(default_factory=FakeObjects)
    queue: FakeQueue = field(default_factory=FakeQueue)
    clock: Clock = field(default_factory=Clock)
    numbers: "count[int]" = field(default_factory=count)
    discards: FakeDiscards = field(init=False)

    def __post_init__(self) -> None:
        """Keep discarded batches beside the ledger."""
        self.discards = FakeDiscards(self.ledger)

    def service(self, tap: Tap | None = None) -> Ingest:
        """Return one attempt's service; each of its calls is counted by the tap."""
        ledger, discards, gate, objects, queue = (
            tap.on(port) if tap else port
            for port in (self.ledger, self.discards, self.gate, self.objects, self.queue)
        )
        return Ingest(
            checkpoints=ledger,
            abandonments=discards,
            gate=gate,
            objects=objects,
            references=queue,
            clock=self.clock,
            limits=LIMITS,
            allowed_lateness=timedelta(hours=1),
            logger=QUIET,
            new_unique=lambda: f"uuid{next(self.numbers)}",
        )


class Zombie:
    """An attempt that stops at a call and goes on when nobody waits for it any more.

    Only one of the two threads ever runs.
    """

    def __init__(self, attempt: Callable[["Zombie"], None]) -> None:
        self._stopped = threading.Event()
        self._go_on = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(attempt,), daemon=True)
        self.is_over = False

    def begin(self) -> None:
        """Run it until it stops or ends."""
        self._thread.start()
        self._stopped.wait()

    def stop(self) -> None:
        """Stop here, called by the attempt itself."""
        self._stopped.set()
        self._go_on.wait()

    def end(self) -> None:
        """Let it go on to its end."""
        self._go_on.set()
        self._thread.join()

    def _run(self, attempt: Callable[["Zombie"], None]) -> None:
        attempt(self)
        self.is_over = True
        self._stopped.set()


def raising(error: BaseException) -> Callable[[], None]:
    """Return an action that raises."""

    def action() -> None:
        raise error

    return action


@dataclass
class IngestFunction:
    """`Function` of the simulation: the service with a fault now and then."""

    draw: Random
    stores: Stores
    faultiness: float
    kinds: Sequence[str] = FAULTS
    run: Run | None = None
    zombies: list[Zombie] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)

    def invoke(self, shard_id: str, batch: Batch, now: float) -> Attempt:
        """Return what comes of an invocation, as Lambda would see it."""
        self.stores.clock.at = now
        event = orjson.loads(event_payload(batch.records))
        records = [stream_record(each["kinesis"]) for each in event["Records"]]
        shard = ShardKey(INCARNATION, shard_id)
        duration_s = self.draw.choice((0.05, 0.5, 5.0))
        fault = self._fault()
        self.faults[fault] += 1
        if fault == "throttled":
            return Attempt(None, 0, 0.05)
        if fault == "zombie":
            return self._zombie(shard, records)
        try:
            retry_from = self._attempt(fault, shard, records)
        except Crash:
            self._wake_a_zombie()  # before the retry, where it can do most harm
            return Attempt(Answer(b"", "Runtime.ExitError"), 0, duration_s)
        if retry_from is None:
            return Attempt(Answer(b'{"batchItemFailures": []}'), len(records), duration_s)
        done = next(n for n, record in enumerate(records) if record.seq == retry_from)
        body = orjson.dumps({"batchItemFailures": [{"itemIdentifier": str(retry_from)}]})
        return Attempt(Answer(body), done, duration_s)

    def _fault(self) -> str:
        if self.draw.random() >= self.faultiness:
            return "none"
        return self.draw.choice(self.kinds)

    def _attempt(self, fault: str, shard: ShardKey, records: Sequence[StreamRecord]) -> int | None:
        actions = {
            "crash before": raising(Crash(fault)),
            "crash after": raising(Crash(fault)),
            "lost": raising(RetryableError(fault)),
        }
        after = fault == "crash after" or (fault == "lost" and self.draw.random() < 0.5)
        tap = Tap(self.draw.randrange(_CALLS), actions.get(fault, lambda: None), after=after)
        if fault == "unresolved":
            held = [key for key in self.stores.gate.holders if self.draw.random() < 0.3]
            self.stores.gate.throttled = set(held)
        try:
            result = self.stores.service(tap).ingest(shard, records, fault)
        finally:
            self.stores.gate.throttled = set()
        return result.retry_from

    def _wake_a_zombie(self) -> None:
        asleep = [zombie for zombie in self.zombies if not zombie.is_over]
        if asleep:
            self.draw.choice(asleep).end()

    def _zombie(self, shard: ShardKey, records: Sequence[StreamRecord]) -> Attempt:
        """Begin an attempt that stops at a call; Lambda gives it up, and it goes on later."""
        at, after = self.draw.randrange(_CALLS), self.draw.random() < 0.5

        def attempt(zombie: Zombie) -> None:
            self.stores.service(Tap(at, zombie.stop, after=after)).ingest(shard, records, "zombie")

        zombie = Zombie(attempt)
        zombie.begin()
        self.zombies.append(zombie)
        if self.run is not None:
            when = self.run.world.now + self.draw.choice((1.0, 20.0, 90.0, 1000.0))
            self.run.world.at(when, zombie.end)
        return Attempt(Answer(b"", "Sandbox.Timedout"), 0, 15.0)


def stream_record(kinesis: dict[str, Any]) -> StreamRecord:
    """Return a record as ingest's handler makes it."""
    arrival_ms = round(kinesis["approximateArrivalTimestamp"] * 1000)
    return StreamRecord(int(kinesis["sequenceNumber"]), arrival_ms, b64decode(kinesis["data"]))


class IngestTale(Tale):
    """Schedules of ingest: duplicates, rejects, aggregates; the stream's mapping as deployed."""

    origin = ARRIVAL.timestamp()
    horizons_s = (60.0, 600.0, 3600.0)

    def __init__(self, ledger: type[FakeLedger], faults: Sequence[str]) -> None:
        self.cast: IngestFunction | None = None
        self._ledger = ledger
        self._faults = faults

    def settings(self, draw: Random) -> MappingSettings:
        """Draw settings: one batch a shard, item failures reported, a destination for the rest."""
        gives_up = draw.random() < 0.5
        return replace(
            super().settings(draw),
            start=Start(Origin.TRIM_HORIZON),
            reports_item_failures=True,
            parallelization=1,
            window_s=draw.choice((0.0, 0.0, 1.0, 5.0)),
            filters=(),
            destination_arn=_QUEUE,
            retries=draw.choice((0, 1, 2)) if gives_up else FOR_EVER,
            record_age_s=draw.choice((60, 300)) if gives_up else FOR_EVER,
        )

    def retention_s(self, draw: Random, settings: MappingSettings) -> float:
        """Keep records longer than any schedule lasts."""
        del draw, settings
        return 10 * 86_400.0

    def data(self, draw: Random) -> bytes:
        """Draw a record; a few numbers, so that many are duplicates."""
        events = [self._event(draw) for _ in range(3)]
        kind = draw.random()
        if kind < 0.1:
            return draw.choice((b"not json", b"[]", b"\xff"))
        return IngestStory.aggregate(*events) if kind < 0.2 else events[0]

    def function(self, plan: Plan, settings: MappingSettings) -> IngestFunction:
        """Draw how faulty the attempts are."""
        del settings
        faultiness = plan.draw.choice((0.1, 0.3, 0.5))
        self.cast = IngestFunction(plan.draw, Stores(self._ledger()), faultiness, self._faults)
        return self.cast

    def weather(self, plan: Plan) -> SeededWeather:
        """Draw failing reads; the destination holds, else nobody would know what to repair."""
        return replace(super().weather(plan), destination=[])

    @staticmethod
    def _event(draw: Random) -> bytes:
        number = draw.randrange(_NUMBERS)
        return event_bytes(number, payload={"other": draw.random() < 0.05, "number": number})


@dataclass(frozen=True)
class Told:
    """One schedule, played and repaired."""

    run: Run
    function: IngestFunction
    unrepaired: list[str] = field(default_factory=list)

    @property
    def stores(self) -> Stores:
        """What is left of it."""
        return self.function.stores


def play(
    seed: int,
    ledger: type[FakeLedger] = FakeLedger,
    faults: Sequence[str] = FAULTS,
    *,
    repairs: bool = True,
) -> Told:
    """Play a schedule to its end: zombies die, discarded batches are repaired, watch looks."""
    tale = IngestTale(ledger, faults)
    told = played(seed, tale)
    run = told.run
    for zombie in told.function.zombies:
        zombie.end()
    if repairs:
        for discard in [*run.audit.deliveries, *run.audit.deliveries]:
            repair(told, discard)
    sweep(told)
    return told


def played(seed: int, tale: "IngestTale") -> "Told":
    """Play a schedule; zombies that nobody has woken stay asleep."""
    run = build(seed, tale=tale)
    function = tale.cast
    assert function is not None
    function.run = run
    run.go()
    return Told(run, function)


def read_back(record: KinesisRecord) -> StreamRecord:
    """Return a record as GetRecords gives it to whoever repairs."""
    return StreamRecord(int(record.sequence), round(record.arrival * 1000), record.data)


def repair(told: Told, discard: Discard) -> None:
    """Read a discarded batch back by the numbers that the queue was sent, and repair it."""
    first, last = (int(discard.records[n].sequence) for n in (0, -1))
    records = [
        read_back(record)
        for shard_id, record in told.run.world.stream.records()
        if shard_id == discard.shard_id and first <= int(record.sequence) <= last
    ]
    shard = ShardKey(INCARNATION, discard.shard_id)
    for _ in range(_REPAIRS):
        faulty = told.function.draw.random() < 0.3
        actions: list[Callable[[], None]] = [
            raising(Crash("repair")),
            raising(RetryableError("repair")),
        ]
        at = told.function.draw.randrange(_CALLS)
        tap = Tap(at, told.function.draw.choice(actions)) if faulty else None
        try:
            result = told.stores.service(tap).repair(shard, records, "repair")
        except Crash:
            continue
        if result.retry_from is None:
            return
        records = [record for record in records if record.seq >= result.retry_from]
    told.unrepaired.append(f"not repaired: {shard} {first}-{last}")


@dataclass(frozen=True)
class _Shards:
    ids: list[str]

    def shard_ids(self) -> list[str]:
        return self.ids


def sweep(told: Told) -> None:
    """Let watch send what a crash has left pending."""
    Watch(
        ledger=told.stores.ledger,
        discards=told.stores.discards,
        references=told.stores.queue,
        stream=_Shards([shard.shard_id for shard in told.run.world.stream.shards()]),
        clock=told.stores.clock,
        overdue_after=timedelta(seconds=-1),
        incarnation=INCARNATION,
        logger=QUIET,
    ).look()


@dataclass
class Reading:
    """What a reader of the ledger finds, shard by shard."""

    problems: list[str] = field(default_factory=list)
    places: Counter[Owner] = field(default_factory=Counter)
    accepted: dict[tuple[str, str], list[Owner]] = field(default_factory=lambda: defaultdict(list))
    duplicate_of: list[Owner] = field(default_factory=list)
    committed: set[tuple[str, int]] = field(default_factory=set)

    def read(self, stores: Stores, shard: ShardKey) -> None:
        """Read all commits of a shard."""
        ends = -1
        for head in sorted(stores.ledger.heads(shard), key=lambda head: head.first_seq):
            if head.first_seq <= ends:
                self.problems.append(f"commits of {shard} overlap at {head.first_seq}")
            ends = head.last_seq
            self._read_commit(stores, head)
        if stores.ledger.read(shard).pending:
            self.problems.append(f"references of {shard} still pending")

    def _read_commit(self, stores: Stores, head: CommitHead) -> None:
        entries = stores.ledger.load(head.shard, head.first_seq).body.lines
        lines = unpack(stores.objects.get(head.raw_key)) if head.raw_key else []
        rows = unpack(stores.objects.get(head.quarantine_key)) if head.quarantine_key else []
        if len(lines) != len(entries):
            self.problems.append(f"torn commit {head.shard} {head.first_seq}")
        for line, entry in zip(lines, entries, strict=False):
            place = Owner(str(head.shard), entry.seq, entry.position)
            self.places[place] += 1
            if entry.duplicate_of is None:
                event = orjson.loads(line)
                self.accepted[event["source"], event["event_id"]].append(place)
            else:
                self.duplicate_of.append(entry.duplicate_of)
        for row in map(orjson.loads, rows):
            self.places[Owner(str(head.shard), int(row["sequence"]), row["position"])] += 1
        if head.raw_key:
            self.committed.add((str(head.shard), head.first_seq))


def violations(told: Told) -> list[str]:
    """Return what is not exactly once: every part of every record has one place in the ledger.

    Every event is accepted once, and a duplicate names a place that was accepted; every commit
    with events is announced, and nothing else is.
    """
    reading, put = Reading(), set()
    for shard in told.run.world.stream.shards():
        reading.read(told.stores, ShardKey(INCARNATION, shard.shard_id))
    for shard_id, record in told.run.world.stream.records():
        key = ShardKey(INCARNATION, shard_id)
        judged = judge(read_back(record), LIMITS)
        put |= {Owner(str(key), int(record.sequence), n) for n in range(len(judged.outcomes))}
    owners = {place for places in reading.accepted.values() for place in places}
    sent = {(str(r.shard), r.first_seq) for r in map(Reference.parse, told.stores.queue.sent)}
    return [
        *reading.problems,
        *told.unrepaired,
        *(f"lost: {place}" for place in put - reading.places.keys()),
        *(f"invented: {place}" for place in reading.places.keys() - put),
        *(f"stored {n} times: {place}" for place, n in reading.places.items() if n > 1),
        *(f"accepted at {p}: {event}" for event, p in reading.accepted.items() if len(p) > 1),
        *(f"duplicate of nothing: {of}" for of in reading.duplicate_of if of not in owners),
        *(f"never sent: {each}" for each in reading.committed - sent),
        *(f"sent but not committed: {each}" for each in sent - reading.committed),
    ]
