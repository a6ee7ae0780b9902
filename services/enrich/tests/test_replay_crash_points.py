"""The processor, from the replay queue's messages to rows, broken at each of its AWS calls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any

import boto3
import pytest
from botocore.config import Config

from aggregate.adapters.counters import DynamoCounters
from aggregate.adapters.markers import DynamoMarkers
from aggregate.adapters.marks import PartMarks
from aggregate.catalogue import DefinitionsCatalogue
from aggregate.following import ReplayFollower
from aggregate.loading import Loader
from aggregate.service import Aggregate
from enrich.replayed import service as replayed_service
from enrich.replayed.known import KnownReplays
from enrich.replayed.service import EnrichReplayed
from millrace.aggregates import Dimension, Scope, Version
from millrace.aws.aggregates import AggregatesReader
from millrace.aws.assignments import DynamoAssignments
from millrace.aws.experiments import DynamoExperiments
from millrace.aws.ledger import DynamoLedger
from millrace.aws.objects import S3Objects
from millrace.aws.queue import SqsQueue
from millrace.aws.replays import DynamoReplays
from millrace.clock import SystemClock
from millrace.definitions import version_of
from millrace.keys import definitions_key
from millrace.replay.message import ReplayMessage
from millrace.replay.planned import PlannedEvent
from millrace.replay.progress import Progress, progress_of
from millrace.replay.reference import ReplayReference
from millrace.windows import WindowWidth
from millrace_testing.builders import commit_of, event_bytes, index_entry
from millrace_testing.crash.explore import Exploration, explore, explore_pairs, sampled
from millrace_testing.crash.wire import NOT_THE_CLIENT_S, FaultKind, Wire
from millrace_testing.metrics import metric
from millrace_testing.replays import audit_entry, replay_record
from millrace_testing.tables import (
    AGGREGATES,
    ASSIGNMENTS,
    COMMITS,
    EXPERIMENTS,
    MARKERS,
    REPLAYS,
    create_table,
)

pytestmark = [pytest.mark.engine, pytest.mark.exhaustive]

SEED = 20_251_228
PAIRS = 25
PREFIX = "replay-crashes-"
DAYS = ("day",)
DEFINITIONS = metric("events", windows=DAYS) + metric("users", "unique", windows=DAYS, of="entity")
DEFS = version_of(DEFINITIONS)
COMMIT, RAW_BODY = commit_of([event_bytes(n, payload={"x": f"{n}" * 9_000}) for n in range(12)])
VERSIONS = count(1_766_914_200)


@dataclass(frozen=True)
class Clients:
    """One process's clients: what a crash takes with it."""

    dynamodb: Any
    s3: Any
    sqs: Any

    @classmethod
    def of(cls, endpoint: str, wire: Wire | None = None) -> "Clients":
        retries: Any = {"mode": "standard", "max_attempts": 3}
        config = Config(retries=retries, s3={"addressing_style": "path"})
        made = [
            boto3.client(
                name,
                endpoint_url=endpoint,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=config,
            )
            for name in ("dynamodb", "s3", "sqs")
        ]
        for client in made if wire else ():
            wire.attach(client)
        return cls(*made)

    def objects(self) -> S3Objects:
        return S3Objects(self.s3, f"{PREFIX}data")

    def replays(self) -> DynamoReplays:
        return DynamoReplays(self.dynamodb, f"{PREFIX}replays")


@dataclass(frozen=True)
class Seen:
    """What readers see of one replay."""

    rows: tuple[tuple[str, object, int, int], ...]
    """Metric, value, events and input hash."""
    progress: Progress
    skipped: tuple[tuple[str, str], ...]
    live: int
    """Rows of version live."""


class ReplayStory:
    """A batch of the replay queue with everything in it, through enrich and aggregate.

    What was not answered comes again: first to `retry`, which may break too, then to `recover`,
    cut into other batches. Aggregate's messages stay on their queue until it answered.
    """

    def __init__(self, clients: Sequence[Clients]) -> None:
        self.attempted, self.retried, self.clean = clients
        self.version = Version(str(next(VERSIONS)))
        self.replay_id = f"crash-{self.version}"
        created = self.clean.sqs.create_queue(QueueName=f"{PREFIX}{self.version}")
        self.queue_url = created["QueueUrl"]
        record = replay_record(self.replay_id, version=self.version, defs_version=DEFS)
        self.clean.replays().start(record, audit_entry())
        self.messages = [self.message(number) for number in range(12)]
        self.messages[5] = replace(self.messages[5], s3_key="raw/gone.ndjson.gz")
        self.messages[6] = replace(self.messages[6], line=99)
        self.messages += self.messages[:2]

    def message(self, number: int) -> ReplayMessage:
        planned = PlannedEvent.of(index_entry(number, line=number), COMMIT)
        return planned.message(f"{PREFIX}data", self.replay_id, self.version)

    def attempt(self) -> None:
        """Run the attempt that meets the first fault."""
        self.process(self.attempted, self.messages)

    def retry(self) -> None:
        """Run the redelivery that meets the second fault."""
        self.process(self.retried, self.messages[::-1])

    def recover(self) -> None:
        """Redeliver until every message is answered, cut into other batches."""
        for part in (self.messages[::3], self.messages[1::3], self.messages[2::3]):
            assert not self.process(self.clean, part)

    def process(self, clients: Clients, messages: Sequence[ReplayMessage]) -> int:
        """Take the messages through both functions; return how many were not answered."""
        bodies = {str(n): message.to_json() for n, message in enumerate(messages)}
        outcome = self.enrich_on(clients).enrich(bodies)
        self.drain(clients)
        return len(outcome.failed)

    def drain(self, clients: Clients) -> None:
        """Aggregate what its queue holds; what fails is there again at once."""
        service = self.aggregate_on(clients)
        while messages := clients.sqs.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0
        ).get("Messages"):
            references = [ReplayReference.parse(each["Body"]) for each in messages]
            outcomes = service.aggregate(references)
            for message, outcome in zip(messages, outcomes, strict=True):
                if isinstance(outcome, Exception):
                    raise outcome
                handle = message["ReceiptHandle"]
                clients.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=handle)

    def observe(self) -> Seen:
        """Return what readers see of the replay."""
        reader = AggregatesReader(self.clean.dynamodb, f"{PREFIX}aggregates")
        scope = Scope.of(Dimension.TYPE, "view")
        rows = list(reader.query(scope, WindowWidth.DAY, version=self.version))
        ledger = self.clean.replays()
        skipped = list(ledger.skipped(self.replay_id))
        return Seen(
            rows=tuple(sorted((r.key.metric, r.value, r.event_count, r.input_hash) for r in rows)),
            progress=progress_of(ledger.objects(self.replay_id), skipped),
            skipped=tuple(sorted((each.place, each.reason) for each in skipped)),
            live=len(list(reader.query(scope, WindowWidth.DAY))),
        )

    def enrich_on(self, clients: Clients) -> EnrichReplayed:
        clock = SystemClock()
        return EnrichReplayed(
            ledger=clients.replays(),
            replays=KnownReplays(clients.replays(), clock),
            objects=clients.objects(),
            bucket=f"{PREFIX}data",
            experiments=DynamoExperiments(clients.dynamodb, f"{PREFIX}experiments"),
            assignments=DynamoAssignments(clients.dynamodb, f"{PREFIX}assignments"),
            aggregate_queue=SqsQueue(clients.sqs, self.queue_url),
            clock=clock,
        )

    def aggregate_on(self, clients: Clients) -> Aggregate:
        clock, ttl = SystemClock(), timedelta(days=90)
        commits, markers = f"{PREFIX}commits", f"{PREFIX}markers"
        ledger = DynamoLedger(clients.dynamodb, commits)
        marks = PartMarks(clients.dynamodb, commits, markers, clock, ttl)
        objects = clients.objects()
        return Aggregate(
            ledger=ledger,
            loader=Loader(ledger, objects, DefinitionsCatalogue(objects)),
            markers=DynamoMarkers(clients.dynamodb, markers, clock, ttl),
            counters=DynamoCounters(clients.dynamodb, f"{PREFIX}aggregates", marks, clock),
            replays=ReplayFollower(clients.replays(), clock),
            clock=clock,
        )


@pytest.fixture(scope="module")
def endpoint(engine) -> str:
    clean = Clients.of(engine.endpoint)
    for name, schema in {
        "aggregates": AGGREGATES,
        "assignments": ASSIGNMENTS,
        "commits": COMMITS,
        "experiments": EXPERIMENTS,
        "markers": MARKERS,
        "replays": REPLAYS,
    }.items():
        create_table(clean.dynamodb, f"{PREFIX}{name}", schema)
    clean.s3.create_bucket(Bucket=f"{PREFIX}data")
    clean.objects().put_new(str(COMMIT.head.raw_key), RAW_BODY)
    clean.objects().put_new(definitions_key(DEFS), DEFINITIONS)
    return engine.endpoint


@pytest.fixture
def wires() -> tuple[Wire, Wire]:
    return Wire(), Wire()


@pytest.fixture
def new_story(endpoint, wires):
    """Stories on two wires and on clients that never fail."""
    clients = [*(Clients.of(endpoint, wire) for wire in wires), Clients.of(endpoint)]
    return lambda: ReplayStory(clients)


def shown(figures: Callable[[str], None], outcome: Exploration[Seen]) -> Exploration[Seen]:
    figures(f"ReplayStory: {outcome.summary()}")
    return outcome


def test_a_clean_run_counts_every_event_once(new_story):
    """Twelve messages, two of them twice, two that name nothing: ten events of five users."""
    story = new_story()
    story.attempt()
    seen = story.observe()
    assert [row[:3] for row in seen.rows] == [("events", 10, 10), ("users", 5, 10)]
    assert seen.progress == Progress(enriched=10, counted=10, skipped=2)
    assert sorted(reason for _, reason in seen.skipped) == ["line_missing", "object_missing"]
    assert seen.live == 0


def test_every_crash_point_of_the_processor_survives(new_story, wires, figures):
    """Whatever call goes wrong, each event is counted once, and the replay's status says so."""
    outcome = shown(figures, explore(new_story, wires[0], NOT_THE_CLIENT_S))
    assert outcome.survivors == outcome.points, str(outcome)
    assert {
        "S3 PUT",
        "S3 GET",
        "PutItem",
        "SendMessage",
        "TransactWriteItems",
        "UpdateItem",
    } <= set(outcome.calls)


def test_pairs_of_faults_survive(new_story, wires, figures):
    """Also when the redelivery goes wrong too, or runs beside a zombie."""
    outcome = shown(figures, explore_pairs(new_story, wires, sampled(PAIRS, SEED)))
    assert outcome.survivors == outcome.points, str(outcome)


def test_an_object_not_named_by_its_events_is_caught(new_story, wires, monkeypatch):
    """Else another group of messages takes the first one's object for its own, and is lost."""
    monkeypatch.setattr(replayed_service, "object_id", lambda *_: "batch")
    outcome = explore(new_story, wires[0], [FaultKind.CRASH_BEFORE])
    assert outcome.differences
