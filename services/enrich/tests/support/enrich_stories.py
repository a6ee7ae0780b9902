"""Enrich's stories for the crash harness: one commit, attempts that fail, a world that moves on."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from enrich.adapters import S3StampedObjects
from enrich.cache import CachedAssignments, CachedExperiments
from enrich.service import Enrich
from enrich.stamp import DEFS_VERSION, Stamp
from millrace.archive_layout import ArchiveLayout
from millrace.assignments import EntityAssignment
from millrace.aws.assignments import AssignmentsWriter, DynamoAssignments
from millrace.aws.experiments import DynamoExperiments
from millrace.aws.index import DynamoIndexPages, DynamoIndexWriter
from millrace.aws.ledger import DynamoLedger
from millrace.aws.queue import SqsQueue
from millrace.clock import SystemClock
from millrace.commit import Checkpoint, CommittedLine, Owner, ShardKey, Stage
from millrace.enriched import EnrichedEvent
from millrace.index_reading import EntityEvents
from millrace.keys import enriched_key
from millrace.raw_lines import unpack
from millrace.reference import EnrichedReference, Reference
from millrace.times import format_ms, to_epoch_ms
from millrace_testing.builders import ARRIVAL, commit_of, event_bytes
from millrace_testing.crash.clients import clients_on
from millrace_testing.crash.wire import Wire
from millrace_testing.tables import ASSIGNMENTS, COMMITS, EVENT_INDEX, EXPERIMENTS, create_table

EVENTS = 12
DUPLICATE_LINE = 1
BUCKETS = 4
_days = count(1)  # a day of its own for each story: that a day is settled costs no call


def _at_once(_seconds: float) -> None:
    """Stands for the waits between attempts at unprocessed keys."""


@dataclass
class Process:
    """One process's clients: what a crash takes with it. The names are the deployment's."""

    dynamodb: Any
    s3: Any
    sqs: Any
    suffix: str

    @classmethod
    def of(cls, endpoint: str, suffix: str, wire: Wire | None = None) -> "Process":
        """Return clients of the engine at `endpoint`, routed through `wire` if there is one."""
        return cls(*clients_on(endpoint, "dynamodb", "s3", "sqs", wire=wire), suffix)

    def named(self, resource: str) -> str:
        """Return the name of a table or of the bucket."""
        return f"{resource}-{self.suffix}"

    def create_resources(self) -> None:
        """Create the tables and the bucket; it keeps every version of an object."""
        for name, schema in (
            ("commits", COMMITS),
            ("assignments", ASSIGNMENTS),
            ("experiments", EXPERIMENTS),
            ("index", EVENT_INDEX),
        ):
            create_table(self.dynamodb, self.named(name), schema)
        self.s3.create_bucket(Bucket=self.named("data"))
        self.s3.put_bucket_versioning(
            Bucket=self.named("data"), VersioningConfiguration={"Status": "Enabled"}
        )


@dataclass(frozen=True)
class EnrichStage:
    """Where stories play. `objects` and `service` are under test: a mutation puts broken ones."""

    attempt: Process
    retry: Process
    clean: Process
    objects: type[S3StampedObjects] = S3StampedObjects
    service: type[Enrich] = Enrich


@dataclass(frozen=True)
class Seen:
    """What readers see of one commit, whichever attempt wrote it."""

    rows: tuple[str, ...]
    """The enriched events' ids, in order."""
    object_versions: int
    versions_of_truth: tuple[int, int, int]
    """How many definitions the object, mark and messages name, variants the rows, metadata.

    Each must be one; they need not be of one era, for an attempt may read while the world moves.
    """
    indexed: tuple[tuple[str, int, bool], ...]
    """Entity, line and duplicate flag of every index entry."""
    marked_events: object
    told: tuple[int, ...]
    """How many different references each queue got; that one comes twice is allowed."""


@dataclass
class EnrichStory:
    """A commit of events and a duplicate, met by a fault and delivered again."""

    stage: EnrichStage
    name: str = field(default_factory=lambda: f"s{uuid4().hex[:12]}")

    def __post_init__(self) -> None:
        """Commit the events as ingest does, and assign some of the entities."""
        clean = self.stage.clean
        self.shard = ShardKey(self.name[1:9], "shardId-000000000000")
        self.day = datetime(2000, 1, 1, 12, tzinfo=ARRIVAL.tzinfo) + timedelta(days=next(_days))
        self.queue_urls = [
            clean.sqs.create_queue(QueueName=f"{self.name}-{queue}")["QueueUrl"]
            for queue in ("aggregate", "archive")
        ]
        lines = [
            event_bytes(n, entity_id=self.entity(n), event_time=format_ms(self.day))
            for n in range(EVENTS)
        ]
        duplicate = CommittedLine(101, 0, to_epoch_ms(ARRIVAL), Owner(str(self.shard), 7, 0))
        commit, raw = commit_of(lines, shard=self.shard, duplicates={DUPLICATE_LINE: duplicate})
        ledger = DynamoLedger(clean.dynamodb, clean.named("commits"))
        # Stories share the day of arrival: its shard alone does not make the raw key one's own.
        commit = replace(commit, head=replace(commit.head, raw_key=f"raw/{self.name}.ndjson.gz"))
        S3StampedObjects(clean.s3, clean.named("data")).put_new(str(commit.head.raw_key), raw)
        assert ledger.commit(Checkpoint(), Checkpoint(1, commit.head.last_seq, ()), commit)
        self.reference = Reference.to(commit.head)
        self.assign("first")

    def attempt(self) -> None:
        """Run the attempt that meets the first fault."""
        self.enrich_on(self.stage.attempt, "first").enrich(self.reference)

    def retry(self) -> None:
        """Run the redelivery that meets the second fault."""
        self.enrich_on(self.stage.retry, "first").enrich(self.reference)

    def recover(self) -> None:
        """Deliver the message again, as SQS does with one that nobody deleted."""
        self.enrich_on(self.stage.clean, "first").enrich(self.reference)

    def observe(self) -> Seen:
        """Return what readers see of the commit."""
        clean = self.stage.clean
        key = enriched_key(self.reference.commit_id)
        objects = S3StampedObjects(clean.s3, clean.named("data"))
        rows = [EnrichedEvent.from_line(line) for line in unpack(objects.get(key))]
        ledger = DynamoLedger(clean.dynamodb, clean.named("commits"))
        mark = ledger.head(self.shard, self.reference.first_seq).marks[Stage.ENRICHED]
        told = [self._told(url) for url in self.queue_urls]
        definitions = {row.defs_version for row in rows} | {str(mark["defs_version"])}
        definitions |= {sent.defs_version for queue in told for sent in queue}
        definitions |= {objects.metadata_of(key)[DEFS_VERSION]}
        variants = {each.variant for row in rows for each in row.assignments}
        owners = {str(each["owner"]) for row in rows for each in row.experiments.values()}
        return Seen(
            rows=tuple(row.event_id for row in rows),
            object_versions=self._versions(key),
            versions_of_truth=(len(definitions), len(variants), len(owners)),
            indexed=self._indexed(),
            marked_events=mark["events"],
            told=tuple(map(len, told)),
        )

    def entity(self, number: int) -> str:
        """Return one of four entities of this story alone; three of them get assigned."""
        return f"{self.name}-{number % 4}"

    def assign(self, era: str) -> None:
        """Make everything that enrich looks up say `era`."""
        clean = self.stage.clean
        experiment = f"e#{self.name}"
        DynamoExperiments(clean.dynamodb, clean.named("experiments")).put(
            [(experiment, {"owner": era})]
        )
        writer = AssignmentsWriter(clean.dynamodb, clean.named("assignments"))
        for number in range(3):
            writer.assign(self.entity(number), [EntityAssignment(experiment, era, self.day)])

    def enrich_on(self, process: Process, era: str) -> Enrich:
        """Return the service of a process that began in `era`, its caches empty."""
        dynamodb, clock = process.dynamodb, SystemClock()
        times: dict[str, Any] = {"ttl": timedelta(minutes=1), "absent_ttl": timedelta(minutes=1)}
        assignments = DynamoAssignments(dynamodb, process.named("assignments"), _at_once)
        experiments = DynamoExperiments(dynamodb, process.named("experiments"), _at_once)
        index = DynamoIndexWriter(dynamodb, process.named("index"), BUCKETS, _at_once)
        return self.stage.service(
            ledger=DynamoLedger(dynamodb, process.named("commits")),
            objects=self.stage.objects(process.s3, process.named("data")),
            experiments=CachedExperiments(experiments, clock, at_most=100, **times),
            assignments=CachedAssignments(assignments, clock, at_most=100, **times),
            index=index,
            queues=tuple(SqsQueue(process.sqs, url) for url in self.queue_urls),
            clock=clock,
            stamp=Stamp(era, ArchiveLayout()),
        )

    def _versions(self, key: str) -> int:
        clean = self.stage.clean
        answer = clean.s3.list_object_versions(Bucket=clean.named("data"), Prefix=key)
        return len(answer.get("Versions", []))

    def _indexed(self) -> tuple[tuple[str, int, bool], ...]:
        clean = self.stage.clean
        reader = EntityEvents(DynamoIndexPages(clean.dynamodb, clean.named("index")))
        span = self.day - timedelta(hours=1), self.day + timedelta(hours=1)
        return tuple(
            (str(number), entry.line, entry.duplicate)
            for number in range(4)
            for entry in reader.all_events_of(self.entity(number), *span, include_duplicates=True)
        )

    def _told(self, url: str) -> set[EnrichedReference]:
        sqs, told = self.stage.clean.sqs, set()
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            told |= {EnrichedReference.parse(each["Body"]) for each in messages}
            for each in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return told


class ChangedStory(EnrichStory):
    """Between each two attempts somebody deploys other definitions and moves every assignment."""

    def retry(self) -> None:
        """Deliver into the second world."""
        self._in("second", self.stage.retry)

    def recover(self) -> None:
        """Deliver into the third world."""
        self._in("third", self.stage.clean)

    def _in(self, era: str, process: Process) -> None:
        self.assign(era)
        self.enrich_on(process, era).enrich(self.reference)


def whole_commit(events: int = EVENTS) -> Sequence[str]:
    """Return the ids that a whole commit's rows have."""
    return [f"event-{n}" for n in range(events) if n != DUPLICATE_LINE]
