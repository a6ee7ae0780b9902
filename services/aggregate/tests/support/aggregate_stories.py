"""Aggregate's stories for the crash harness: batches, replays, and definitions that change."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config

from aggregate.adapters.counters import DynamoCounters
from aggregate.adapters.markers import DynamoMarkers
from aggregate.adapters.marks import PartMarks
from aggregate.catalogue import DefinitionsCatalogue
from aggregate.following import ReplayFollower
from aggregate.loading import AnyReference, Loader
from aggregate.service import Aggregate
from millrace.aggregates import LIVE, Dimension, Scope, Version
from millrace.aws.aggregates import AggregatesReader
from millrace.aws.ledger import DynamoLedger
from millrace.aws.objects import S3Objects
from millrace.aws.replays import DynamoReplays
from millrace.clock import SystemClock
from millrace.commit import Checkpoint, ShardKey, Stage
from millrace.definitions import version_of
from millrace.enriched import EnrichedEvent
from millrace.keys import definitions_key, enriched_key, replay_enriched_key
from millrace.raw_lines import pack
from millrace.reference import EnrichedReference, Reference
from millrace.replay.progress import ProcessedObject, Progress, place_hash, progress_of
from millrace.replay.reference import ReplayReference
from millrace.windows import WindowWidth
from millrace_testing.builders import commit_of, enriched_event
from millrace_testing.crash.wire import Wire
from millrace_testing.metrics import metric
from millrace_testing.tables import AGGREGATES, COMMITS, MARKERS, REPLAYS, create_table

BOTH = ("hour", "day")
BASE = (
    metric("events", windows=BOTH)
    + metric("numbers", "sum", windows=BOTH, value="payload.number")
    + metric("users", "unique", windows=BOTH, of="entity")
)


def counts_by_type(name: str, number: int) -> bytes:
    """Return definitions of so many metrics, each with two counters for events of one hour."""
    return b"".join(metric(f"{name}{each}", windows=BOTH) for each in range(number))


WIDE = counts_by_type("m", 50)
"""More counters for one event than a transaction takes."""
EXTRA = counts_by_type("extra", 9)
"""What a later version of the definitions adds: other parts."""
_replays = count(1_766_914_200)


@dataclass(frozen=True)
class Clients:
    """One process's clients: what a crash takes with it."""

    dynamodb: Any
    s3: Any
    commits: str
    aggregates: str
    markers: str
    bucket: str
    replays: str

    @classmethod
    def of(cls, endpoint: str, wire: Wire | None = None, *, prefix: str = "stories") -> "Clients":
        """Return clients of the engine at `endpoint`, routed through `wire` if there is one.

        `prefix` is in the names of the resources that they use.
        """
        retries: Any = {"mode": "standard", "max_attempts": 3}
        config = Config(retries=retries, s3={"addressing_style": "path"}, max_pool_connections=20)
        made = [
            boto3.client(
                name,
                endpoint_url=endpoint,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=config,
            )
            for name in ("dynamodb", "s3")
        ]
        for client in made if wire else ():
            wire.attach(client)
        names = ("commits", "aggregates", "markers", "data", "replays")
        return cls(*made, *(f"aggregate-{prefix}-{name}" for name in names))

    def create_resources(self) -> None:
        """Create the tables and the bucket that stories share."""
        for name, schema in (
            (self.commits, COMMITS),
            (self.aggregates, AGGREGATES),
            (self.markers, MARKERS),
            (self.replays, REPLAYS),
        ):
            create_table(self.dynamodb, name, schema)
        self.s3.create_bucket(Bucket=self.bucket)

    @property
    def ledger(self) -> DynamoLedger:
        """The ledger."""
        return DynamoLedger(self.dynamodb, self.commits)

    @property
    def replay_ledger(self) -> DynamoReplays:
        """The replays table."""
        return DynamoReplays(self.dynamodb, self.replays)

    @property
    def objects(self) -> S3Objects:
        """The data bucket."""
        return S3Objects(self.s3, self.bucket)


@dataclass(frozen=True)
class Parts:
    """The classes under test: a mutation check puts a broken one there."""

    marks: type[PartMarks] = PartMarks
    markers: type[DynamoMarkers] = DynamoMarkers


def service_on(clients: Clients, parts: Parts | None = None, *, dry_run: bool = False) -> Aggregate:
    """Return the service as a fresh process has it."""
    made, clock, ttl = parts or Parts(), SystemClock(), timedelta(days=90)
    dynamodb = clients.dynamodb
    marks = made.marks(dynamodb, clients.commits, clients.markers, clock, ttl)
    return Aggregate(
        ledger=clients.ledger,
        loader=Loader(clients.ledger, clients.objects, DefinitionsCatalogue(clients.objects)),
        markers=made.markers(dynamodb, clients.markers, clock, ttl, sleep=lambda _: None),
        counters=DynamoCounters(dynamodb, clients.aggregates, marks, clock, sleep=lambda _: None),
        replays=ReplayFollower(clients.replay_ledger, clock),
        clock=clock,
        dry_run=dry_run,
    )


class World:
    """Commits, objects and rows of one story, which no other has."""

    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        self.event_type = f"t{uuid4().hex[:12]}"
        self.shard = ShardKey(uuid4().hex[:8], "shardId-000000000000")
        self.version = Version(str(next(_replays)))
        self.sequences = count(100, 100)

    def events(self, numbers: Iterable[int]) -> list[EnrichedEvent]:
        """Return events of this story's type, by seven users."""
        return [enriched_event(number, event_type=self.event_type) for number in numbers]

    def commit(self, events: Sequence[EnrichedEvent], definitions: bytes) -> EnrichedReference:
        """Put a commit, its object and its definitions there; return the reference to it."""
        seq = next(self.sequences)
        commit, _ = commit_of([b"{}"] * len(events), shard=self.shard, first_seq=seq)
        before = self.clients.ledger.read(self.shard)
        after = Checkpoint(before.version + 1, seq, ())
        assert self.clients.ledger.commit(before, after, commit)
        key = enriched_key(commit.head.commit_id)
        version = self._store(key, events, definitions)
        return EnrichedReference.from_reference(Reference.to(commit.head), key, version)

    def replayed(self, events: Sequence[EnrichedEvent], definitions: bytes) -> ReplayReference:
        """Put the object of some replayed events there and list it; return the reference to it."""
        object_id = uuid4().hex
        key = replay_enriched_key(self.version, object_id)
        version = self._store(key, events, definitions)
        places = frozenset(place_hash(each.event_id) for each in events)
        made = ProcessedObject(object_id, key, places, counted=False)
        self.clients.replay_ledger.list_object(self.version, made)
        return ReplayReference(self.version, self.version, object_id, key, version, "c")

    def progress(self) -> Progress:
        """Return how far the story's replayed events have come."""
        return progress_of(self.clients.replay_ledger.objects(self.version), ())

    def rows(self, version: Version = LIVE) -> Mapping[tuple[str, str], Any]:
        """Return what readers see of the type under a version."""
        reader = AggregatesReader(self.clients.dynamodb, self.clients.aggregates)
        scope = Scope.of(Dimension.TYPE, self.event_type)
        return {
            (row.key.window.label, row.key.metric): (row.value, row.event_count, row.input_hash)
            for width in WindowWidth
            for row in reader.query(scope, width, version=version)
        }

    def marks(self, references: Sequence[EnrichedReference]) -> list[object]:
        """Return how many events the ledger says each commit added."""
        heads = [self.clients.ledger.head(each.shard, each.first_seq) for each in references]
        return [head.marks.get(Stage.AGGREGATED, {}).get("events") for head in heads]

    def _store(self, key: str, events: Sequence[EnrichedEvent], definitions: bytes) -> str:
        version = version_of(definitions)
        stamped = [replace(each, defs_version=version) for each in events]
        self.clients.objects.put_new(definitions_key(version), definitions)
        self.clients.objects.put_new(key, pack([each.to_line() for each in stamped]).body)
        return version


@dataclass(frozen=True)
class Theatre:
    """Where a story plays: the attempt's clients, the retry's, and ones that never fail."""

    attempt: Clients
    retry: Clients
    clean: Clients
    parts: Parts


class Story(ABC):
    """References met by a fault in one batch, and redelivered in other company."""

    def __init__(self, stage: Theatre) -> None:
        self.stage = stage
        self.world = World(stage.clean)
        self.references: list[AnyReference] = []

    def attempt(self) -> None:
        """Run the batch that meets the first fault."""
        service_on(self.stage.attempt, self.stage.parts).aggregate(self.references)

    def retry(self) -> None:
        """Run the redelivery that meets the second fault: the last reference, then the others."""
        for batch in (self.references[-1:], self.references[:-1]):
            service_on(self.stage.retry, self.stage.parts).aggregate(self.again(batch))

    def recover(self) -> None:
        """Redeliver, unhurt, the last reference first."""
        for batch in (self.references[1:], self.references[:1]):
            outcomes = service_on(self.stage.clean, self.stage.parts).aggregate(self.again(batch))
            failures = [each for each in outcomes if isinstance(each, Exception)]
            assert not failures, failures

    def again(self, batch: Sequence[AnyReference]) -> Sequence[AnyReference]:
        """Return the messages as they come the second time."""
        return batch

    @abstractmethod
    def observe(self) -> object:
        """Return what readers see."""


class BatchStory(Story):
    """Three commits that share rows and users, one of them of several parts; a fourth before them.

    While the batch is redelivered the deployment has other definitions: messages name those.
    """

    def __init__(self, stage: Theatre) -> None:
        super().__init__(stage)
        world = self.world
        service_on(stage.clean).aggregate([world.commit(world.events(range(5)), BASE)])
        self.commits = [
            world.commit(world.events(range(5, 15)), BASE),
            world.commit(world.events(range(10, 20)), BASE + EXTRA),
            world.commit(world.events(range(15, 25)), BASE + WIDE),
        ]
        self.references = list(self.commits)

    def again(self, batch: Sequence[AnyReference]) -> Sequence[AnyReference]:
        """Name the definitions of now, which the objects were not written under."""
        return [replace(each, defs_version=version_of(BASE + EXTRA)) for each in batch]

    def observe(self) -> object:
        """Return the rows and the ledger's marks."""
        return self.world.rows(), self.world.marks(self.commits)


class ReplayStory(Story):
    """Events that come in two objects of one replay, each of more counters than fit one part.

    The last object was enriched after a deployment, under other definitions. Which of the two
    count an event that is in both is decided by who is first; it must be one, wholly.
    """

    def __init__(self, stage: Theatre) -> None:
        super().__init__(stage)
        world, definitions = self.world, BASE + WIDE
        self.references = [
            world.replayed(world.events([0, 1]), definitions),
            world.replayed(world.events([1, 2]), definitions + EXTRA),
        ]

    def observe(self) -> object:
        """Return the replay's progress and rows, but for metrics that only one version has."""
        rows = self.world.rows(self.world.version)
        assert not self.world.rows()
        common = {key: row for key, row in rows.items() if not key[1].startswith("extra")}
        return self.world.progress(), common
