"""Aggregate on fakes, a way to stop it at any call of a port, and DynamoDB on moto."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import boto3
import orjson
import pytest

from aggregate.catalogue import DefinitionsCatalogue
from aggregate.domain.packing import Part, Place, Sum, sums_of
from aggregate.domain.units import CommitUnit, ReplayUnit
from aggregate.following import ReplayFollower
from aggregate.loading import AnyReference, Loader
from aggregate.ports import RowMoved
from aggregate.service import Aggregate, Aggregated
from millrace.aggregates import (
    LIVE,
    MIXED,
    AggregateKey,
    AggregateRow,
    Dimension,
    Scope,
    Version,
)
from millrace.clock import Clock
from millrace.commit import Checkpoint, Stage
from millrace.counting.deltas import Marker
from millrace.definitions import version_of
from millrace.enriched import EnrichedEvent
from millrace.keys import definitions_key, enriched_key, replay_enriched_key
from millrace.raw_lines import pack
from millrace.reference import EnrichedReference
from millrace.replay.progress import ProcessedObject, Progress, place_hash, progress_of
from millrace.replay.reference import ReplayReference
from millrace.windows import WindowWidth, window_of
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, enriched_event
from millrace_testing.crash.tap import Tap
from millrace_testing.fakes import FakeLedger, FakeObjects, FixedClock
from millrace_testing.metrics import metric
from millrace_testing.replays import FakeReplays
from millrace_testing.tables import AGGREGATES, COMMITS, MARKERS, REPLAYS, create_table

BOTH = ("hour", "day")
DEFINITIONS = (
    metric("events", dimensions=("type", "source", "entity", "client", "experiment"), windows=BOTH)
    + metric(
        "numbers", "sum", dimensions=("type", "experiment"), windows=BOTH, value="payload.number"
    )
    + metric("users", "unique", dimensions=("type", "source"), windows=BOTH, of="entity")
    + metric("later", windows=("day",), mode="replay")
)
DEFS = version_of(DEFINITIONS)
REPLAY = "1766914200"


@dataclass
class FakeMarkers:
    """`aggregate.ports.Markers` in a dictionary."""

    owner_of: dict[Marker, str] = field(default_factory=dict)

    def owners(self, markers: Collection[Marker]) -> Mapping[Marker, str]:
        return {each: self.owner_of[each] for each in markers if each in self.owner_of}

    def insert_new(self, owners: Mapping[Marker, str]) -> AbstractSet[Marker]:
        new = {each for each in owners if each not in self.owner_of}
        self.owner_of |= {each: owners[each] for each in new}
        return new


@dataclass
class FakeCounters:
    """`aggregate.ports.Counters` in a dictionary."""

    ledger: FakeLedger
    clock: Clock
    rows: dict[AggregateKey, AggregateRow] = field(default_factory=dict)
    marks: set[Place] = field(default_factory=set)
    counted_by: dict[ReplayUnit, str] = field(default_factory=dict)
    """The definitions that a replayed event is counted under."""
    transactions: list[int] = field(default_factory=list)
    """How many parts each one held."""
    refusing: Callable[[Sequence[Part]], Exception | None] = lambda _: None
    promotions: dict[AggregateKey, Version] = field(default_factory=dict)
    after_promoted_read: Callable[[], object] = lambda: None
    """Happens once `promoted` has read, before it answers."""

    def promoted(self, keys: Collection[AggregateKey]) -> Mapping[AggregateKey, Version]:
        found = {key: self.promotions[key] for key in keys if key in self.promotions}
        self.after_promoted_read()
        return found

    def is_settled(self, part: Part) -> bool:
        return self._is_settled(part)

    def add_once(self, parts: Sequence[Part]) -> AbstractSet[Place]:
        error = self.refusing(parts)
        if error:
            raise error
        for part in parts:
            if isinstance(part.unit, CommitUnit):
                self.ledger.head(part.unit.shard, part.unit.first_seq)
        settled = {part.place for part in parts if self._is_settled(part)}
        if settled:
            return settled
        for each in sums_of(parts):
            markers_of = self.promotions.get(each.key, each.key.version)
            if each.delta.markers_of not in {None, markers_of}:
                raise RowMoved(f"{each.key} was promoted meanwhile")
        self.transactions.append(len(parts))
        self.marks |= {part.place for part in parts}
        for part in parts:
            if isinstance(part.unit, ReplayUnit):
                self.counted_by.setdefault(part.unit, part.defs_version)
        for each in sums_of(parts):
            self._add(each)
        return set()

    def _is_settled(self, part: Part) -> bool:
        other = isinstance(part.unit, ReplayUnit) and part.defs_version != self.counted_by.get(
            part.unit, part.defs_version
        )
        return part.place in self.marks or other

    def read(self, key: AggregateKey) -> AggregateRow | None:
        return self.rows.get(key)

    def _add(self, each: Sum) -> None:
        key, delta = each.key, each.delta
        defs_version = next(iter(each.defs_versions)) if len(each.defs_versions) == 1 else MIXED
        there = self.rows.get(key) or AggregateRow(
            key, 0, 0, 0, delta.sample_event_ids, defs_version, self.clock.now()
        )
        self.rows[key] = replace(
            there,
            value=there.value + delta.value,
            event_count=there.event_count + delta.event_count,
            input_hash=there.input_hash + delta.input_hash,
            defs_version=defs_version if there.defs_version == defs_version else MIXED,
            updated_at=self.clock.now(),
        )


class World:
    """Everything aggregate touches, and ways to run it and to look at the end."""

    def __init__(self) -> None:
        self.clock = FixedClock(ARRIVAL)
        self.dry_run = False
        self.ledger = FakeLedger()
        self.objects = FakeObjects()
        self.markers = FakeMarkers()
        self.counters = FakeCounters(self.ledger, self.clock)
        self.replays = FakeReplays()
        self.objects.put_new(definitions_key(DEFS), DEFINITIONS)

    def service(self, tap: Tap | None = None) -> Aggregate:
        """Return the service; every call of a port is reported to `tap` first."""
        on: Callable[[Any], Any] = tap.on if tap else lambda port: port
        ledger, objects = on(self.ledger), on(self.objects)
        return Aggregate(
            ledger=ledger,
            loader=Loader(ledger, objects, DefinitionsCatalogue(objects)),
            markers=on(self.markers),
            counters=on(self.counters),
            replays=ReplayFollower(on(self.replays), self.clock),
            clock=self.clock,
            dry_run=self.dry_run,
        )

    def run(self, reference: AnyReference, tap: Tap | None = None) -> Aggregated:
        """Aggregate one reference; raise why it failed."""
        (outcome,) = self.service(tap).aggregate([reference])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def commit(self, first_seq: int, events: Sequence[EnrichedEvent]) -> EnrichedReference:
        """Put a commit and its enriched object there; return the reference to it."""
        commit, _ = commit_of([b"{}"] * len(events), first_seq=first_seq)
        before = self.ledger.read(SHARD)
        assert self.ledger.commit(before, Checkpoint(before.version + 1, first_seq, ()), commit)
        head = commit.head
        key = enriched_key(head.commit_id)
        self.objects.put_new(key, pack([event.to_line() for event in events]).body)
        return EnrichedReference(
            head.commit_id, SHARD, first_seq, str(head.raw_key), "corr-1", key, DEFS
        )

    def replayed(
        self, object_id: str, events: Sequence[EnrichedEvent], version: str = REPLAY
    ) -> ReplayReference:
        """Put the object of some replayed events there; return the reference to it."""
        key = replay_enriched_key("replay-1", object_id)
        self.objects.put_new(key, pack([event.to_line() for event in events]).body)
        places = frozenset(place_hash(f"{each.event_id} {each.arrival_time}") for each in events)
        self.replays.list_object("replay-1", ProcessedObject(object_id, key, places, counted=False))
        return ReplayReference("replay-1", Version(version), object_id, key, DEFS, "corr-1")

    def row(
        self, metric: str, dimension: Dimension, *ids: str, version: str = LIVE
    ) -> AggregateRow:
        """Return the row of the day that every event of these tests is in."""
        window = window_of(ARRIVAL, WindowWidth.DAY)
        key = AggregateKey(Scope.of(dimension, *ids), window, metric, Version(version))
        return self.counters.rows[key]

    def progress(self) -> Progress:
        """Return how far the events of the world's replay have come."""
        replay = "replay-1"
        return progress_of(self.replays.objects(replay), self.replays.skipped(replay))

    def end(self) -> dict[str, object]:
        """Return all that lasts and must not depend on who came first."""
        return {
            "rows": {
                key: (row.value, row.event_count, row.input_hash, row.defs_version)
                for key, row in self.counters.rows.items()
            },
            "parts": set(self.counters.marks),
            "markers": set(self.markers.owner_of),
            "progress": self.progress(),
            "marks": {
                at: commit.head.marks.get(Stage.AGGREGATED)
                for at, commit in self.ledger.commits.items()
            },
        }


def events_of(numbers: Sequence[int], **fields: Any) -> list[EnrichedEvent]:
    return [enriched_event(number, defs_version=DEFS, **fields) for number in numbers]


@pytest.fixture
def defs_version() -> str:
    """The version of the definitions in every world."""
    return DEFS


@pytest.fixture
def definitions_toml() -> bytes:
    """The definitions in every world."""
    return DEFINITIONS


@pytest.fixture
def new_events() -> Callable[..., list[EnrichedEvent]]:
    """Enriched events by number, stamped with the world's definitions; seven users."""
    return events_of


@pytest.fixture(scope="session")
def new_world() -> type[World]:
    """Worlds that know nothing of each other."""
    return World


@pytest.fixture
def world() -> World:
    """No commits yet."""
    return World()


@pytest.fixture
def new_tap() -> type[Tap]:
    """Taps on the ports of a world."""
    return Tap


@pytest.fixture
def fake_markers() -> FakeMarkers:
    """No markers yet."""
    return FakeMarkers()


@dataclass
class Moto:
    """DynamoDB on moto with the tables of this service."""

    client: Any
    faults: list[dict[str, Any]] = field(default_factory=list)
    """Answers to give instead of doing the next calls, one each: `operation`, `answer`."""
    calls: list[str] = field(default_factory=list)


@pytest.fixture
def moto_db(aws) -> Moto:
    """DynamoDB on moto; PartiQL inserts, which moto cannot do with parameters, by conditional put.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html
    """
    client = boto3.client("dynamodb")
    create_table(client, "commits-1", COMMITS)
    create_table(client, "aggregates-1", AGGREGATES)
    create_table(client, "markers-1", MARKERS)
    create_table(client, "replays-1", REPLAYS)
    moto = Moto(client)

    def before_call(model: Any, params: Any, **_: object) -> tuple[Any, Any] | None:
        moto.calls.append(model.name)
        if moto.faults and moto.faults[0]["operation"] == model.name:
            answer = moto.faults.pop(0)["answer"]
            return SimpleNamespace(status_code=400 if "Error" in answer else 200), answer
        if model.name == "BatchExecuteStatement":
            statements = orjson.loads(params["body"])["Statements"]
            answers = [_insert(client, each) for each in statements]
            return SimpleNamespace(status_code=200), {"Responses": answers}
        return None

    client.meta.events.register("before-call.dynamodb", before_call)
    return moto


def _insert(client: Any, statement: Mapping[str, Any]) -> dict[str, Any]:
    match = re.fullmatch(r'INSERT INTO "([^"]+)" VALUE \{(.*)\}', statement["Statement"])
    assert match is not None
    names = re.findall(r"'(\w+)': \?", match[2])
    item = dict(zip(names, statement["Parameters"], strict=True))
    try:
        client.put_item(
            TableName=match[1], Item=item, ConditionExpression="attribute_not_exists(PK)"
        )
    except client.exceptions.ConditionalCheckFailedException:
        return {"Error": {"Code": "DuplicateItem", "Message": "Duplicate primary key exists"}}
    return {"TableName": match[1]}
