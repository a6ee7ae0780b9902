"""Archive, broken at each of its AWS calls, on the local engine."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from archive.adapters import DynamoDirtyHours, DynamoManifests, S3StampedObjects
from archive.service import Archive
from millrace.archive_layout import ArchiveLayout, Compression
from millrace.aws.ledger import DynamoLedger
from millrace.aws.ledger_items import from_attributes
from millrace.clock import SystemClock
from millrace.commit import Checkpoint, ShardKey, Stage
from millrace.compression import lines_of
from millrace.keys import enriched_key
from millrace.raw_lines import pack
from millrace.reference import EnrichedReference, Reference
from millrace_testing.builders import ARRIVAL, commit_of, enriched_event, event_bytes
from millrace_testing.crash.clients import clients_on
from millrace_testing.crash.explore import explore, explore_pairs, sampled
from millrace_testing.crash.wire import Wire
from millrace_testing.tables import COMMITS, MANIFESTS, create_table

pytestmark = [pytest.mark.engine, pytest.mark.exhaustive, pytest.mark.archival]

SEED, PAIRS = 20_251_228, 30


@dataclass
class Clients:
    """One process's clients: what a crash takes with it."""

    dynamodb: Any
    s3: Any

    @classmethod
    def on(cls, endpoint: str, wire: Wire | None = None) -> "Clients":
        return cls(*clients_on(endpoint, "dynamodb", "s3", wire=wire))


class ArchiveStory:
    """A commit of three events in two hours, archived by an attempt that meets a fault.

    Between the attempts the layout's settings change; the stamp on the object does not.
    """

    def __init__(self, attempt: Clients, retry: Clients, clean: Clients) -> None:
        self.first, self.second, self.clean = attempt, retry, clean
        self.name = f"story-{uuid4().hex[:8]}"
        clean.s3.create_bucket(Bucket=self.name)
        create_table(clean.dynamodb, f"{self.name}-commits", COMMITS)
        create_table(clean.dynamodb, f"{self.name}-manifests", MANIFESTS)
        self.shard = ShardKey("1a2b3c4d", "shardId-000000000000")
        commit, _ = commit_of([event_bytes(n) for n in range(3)], shard=self.shard)
        ledger = DynamoLedger(clean.dynamodb, f"{self.name}-commits")
        assert ledger.commit(Checkpoint(), Checkpoint(1, 102, ()), commit)
        key = enriched_key(commit.head.commit_id)
        events = [
            enriched_event(n, event_time=ARRIVAL - timedelta(minutes=minutes))
            for n, minutes in enumerate((5, 70, 6))
        ]
        body = pack([event.to_line() for event in events]).body
        stamp = ArchiveLayout(max_events=1).to_metadata()
        self.objects_on(clean).put_new(key, body, metadata=stamp)
        reference = Reference.to(commit.head)
        self.reference = EnrichedReference.from_reference(reference, key, "0123456789abcdef")

    def attempt(self) -> None:
        """Run the attempt that meets the first fault."""
        self.archive_on(self.first)

    def retry(self) -> None:
        """Run the next attempt, after the settings changed."""
        self.archive_on(self.second)

    def recover(self) -> None:
        """Deliver the reference again, twice; enrich has tried again under other settings."""
        other = ArchiveLayout(2, 100, Compression.ZSTD, 3).to_metadata()
        objects = self.objects_on(self.clean)
        assert not objects.put_new(self.reference.enriched_key, b"", metadata=other)
        for _ in range(2):
            self.archive_on(self.clean)

    def observe(self) -> dict[str, Any]:
        """Return what readers see: events by object, rows, changed hours, the mark."""
        pages = self.clean.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix="archive/"
        )
        keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
        items = self.clean.dynamodb.scan(TableName=f"{self.name}-manifests", ConsistentRead=True)
        rows = [from_attributes(item) for item in items["Items"]]
        ledger = DynamoLedger(self.clean.dynamodb, f"{self.name}-commits")
        mark = ledger.head(self.shard, 100).marks.get(Stage.ARCHIVED, {})
        return {
            "objects": {key: list(lines_of(key, self.body(key))) for key in keys},
            "rows": sorted(
                (row["object_key"], row["events"], row["input_hash"])
                for row in rows
                if row["hour"] != "DIRTY"
            ),
            "dirty": sorted(row["object_key"] for row in rows if row["hour"] == "DIRTY"),
            "mark": (mark.get("events"), mark.get("objects")),
        }

    def body(self, key: str) -> bytes:
        body: bytes = self.clean.s3.get_object(Bucket=self.name, Key=key)["Body"].read()
        return body

    def objects_on(self, clients: Clients) -> S3StampedObjects:
        return S3StampedObjects(clients.s3, self.name)

    def archive_on(self, clients: Clients) -> None:
        table = f"{self.name}-manifests"
        Archive(
            ledger=DynamoLedger(clients.dynamodb, f"{self.name}-commits"),
            objects=self.objects_on(clients),
            manifests=DynamoManifests(clients.dynamodb, table),
            dirty_hours=DynamoDirtyHours(clients.dynamodb, table, lambda: uuid4().hex),
            clock=SystemClock(),
        ).archive(self.reference)


@pytest.fixture(scope="module")
def stage(engine) -> tuple[tuple[Wire, Wire], tuple[Clients, Clients, Clients]]:
    wires = Wire(), Wire()
    first, second = (Clients.on(engine.endpoint, wire) for wire in wires)
    return wires, (first, second, Clients.on(engine.endpoint))


def test_every_crash_point_survives(stage, figures):
    """Whatever call goes wrong, each event is in one object with a row, and the commit marked."""
    wires, clients = stage
    outcome = explore(lambda: ArchiveStory(*clients), wires[0])
    figures(f"archive: {outcome.summary()}")
    assert outcome.survivors == outcome.points, str(outcome)
    assert {"S3 PUT", "BatchWriteItem", "UpdateItem"} <= set(outcome.calls)


def test_pairs_of_faults_survive(stage, figures):
    """Also when the retry goes wrong too, or runs beside a zombie."""
    wires, clients = stage
    outcome = explore_pairs(lambda: ArchiveStory(*clients), wires, sampled(PAIRS, SEED))
    figures(f"archive, pairs: {outcome.summary()}")
    assert outcome.survivors == outcome.points, str(outcome)
