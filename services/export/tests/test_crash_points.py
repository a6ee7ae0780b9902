"""Export, broken at each of its AWS calls, on the local engine; late events come meanwhile."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from aws_lambda_powertools import Logger

from export.adapters.archive import ManifestedArchive
from export.adapters.files import S3ClientFiles
from export.adapters.rows import DynamoDirtyHours, DynamoExports
from export.adapters.spill import DiskSpill
from export.domain.completeness import PipelineProgress
from export.domain.files import Placement
from export.domain.form import Form
from export.hours import HourlyExport
from export.service import Bounds, Export
from millrace.archive_layout import Compression
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.aws.manifests import ManifestsReader, dirty_key
from millrace.aws.objects import S3Objects
from millrace.clock import SystemClock
from millrace.compression import compressed
from millrace.errors import MillraceError
from millrace_testing.builders import enriched_event
from millrace_testing.crash.clients import clients_on
from millrace_testing.crash.explore import explore, explore_pairs, sampled
from millrace_testing.crash.wire import FaultKind, Wire
from millrace_testing.tables import MANIFESTS, create_table

pytestmark = [pytest.mark.engine, pytest.mark.exhaustive, pytest.mark.archival]

SEED, PAIRS = 20_251_228, 30
HOUR = datetime(2025, 12, 28, 9, tzinfo=UTC)
LABEL = "2025-12-28T09"
KINDS = [kind for kind in FaultKind if kind is not FaultKind.PARTIAL_ANSWER]  # no batch calls
PART_BYTES = 700  # of an upload: the engine takes parts below S3's 5 MiB


@dataclass
class Clients:
    """One process's clients: what a crash takes with it."""

    dynamodb: Any
    s3: Any

    @classmethod
    def on(cls, endpoint: str, wire: Wire | None = None) -> "Clients":
        return cls(*clients_on(endpoint, "dynamodb", "s3", wire=wire))


class Settled:
    """`export.ports.Progress` of a pipeline in which nothing is on its way."""

    def look(self) -> PipelineProgress:
        return PipelineProgress(HOUR + timedelta(days=1), None, ())


class ExportStory:
    """An hour of two clients, one file small and one in parts; then late events for one of them."""

    def __init__(self, attempt: Clients, retry: Clients, clean: Clients) -> None:
        self.first, self.second, self.clean = attempt, retry, clean
        self.name = f"story-{uuid4().hex[:8]}"
        clean.s3.create_bucket(Bucket=self.name)
        create_table(clean.dynamodb, self.name, MANIFESTS)
        self.is_late = False
        self.archive("archive/h/c-0.ndjson.gz", ["acme", "shop", "acme", "acme"], 0)

    def attempt(self) -> None:
        """Run the export that meets the first fault."""
        self.run_on(self.first)

    def retry(self) -> None:
        """Run the next export."""
        self.run_on(self.second)

    def recover(self) -> None:
        """Archive late events, once, and run five past two more hours."""
        if not self.is_late:
            self.archive("archive/h/late-0.ndjson.zst", ["shop"], 100)
            self.is_late = True
        for _ in range(2):
            self.run_on(self.clean)

    def observe(self) -> dict[str, Any]:
        """Return what readers see: files, manifests, rows, hours that wait."""
        s3 = self.clean.s3
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix="clients/")
        keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
        items = self.clean.dynamodb.scan(TableName=self.name, ConsistentRead=True)["Items"]
        rows = [
            {
                name: value
                for name, value in from_attributes(item).items()
                if name not in ("revision", "written_at", "bucket")
            }
            for item in items
        ]
        return {
            "files": {key: s3.get_object(Bucket=self.name, Key=key)["Body"].read() for key in keys},
            "rows": sorted(rows, key=lambda row: (row["hour"], row["object_key"])),
        }

    def archive(self, key: str, client_ids: list[str], first: int) -> None:
        """Do what archive does for one object of the hour."""
        events = [
            enriched_event(first + n, client_id=client_id, event_time=HOUR)
            for n, client_id in enumerate(client_ids)
        ]
        compression = Compression.ZSTD if key.endswith("zst") else Compression.GZIP
        body = compressed([event.to_line() for event in events], compression, 3)
        self.clean.s3.put_object(Bucket=self.name, Key=key, Body=body)
        row = {
            "hour": LABEL,
            "object_key": key,
            "events": len(events),
            "bytes": len(body),
            "input_hash": f"{sum(event.hash64 for event in events) % 2**64:016x}",
            "clients": {each: client_ids.count(each) for each in client_ids},
        }
        for item in (
            to_attributes(row),
            dirty_key(LABEL) | to_attributes({"token": uuid4().hex}),
        ):
            self.clean.dynamodb.put_item(TableName=self.name, Item=item)

    def run_on(self, clients: Clients) -> None:
        clock = SystemClock()
        objects = S3Objects(clients.s3, self.name)
        report = HourlyExport(
            dirty_hours=DynamoDirtyHours(clients.dynamodb, self.name),
            progress=Settled(),
            export=Export(
                archive=ManifestedArchive(ManifestsReader(clients.dynamodb, self.name), objects),
                exports=DynamoExports(clients.dynamodb, self.name, clock),
                files=S3ClientFiles(clients.s3, PART_BYTES),
                placement=Placement(self.name, {}, Form()),
                new_spill=lambda: DiskSpill(10_000_000),
                bounds=Bounds(1, 1),
            ),
            clock=clock,
            grace=timedelta(minutes=4),
            logger=Logger(service="crash-points", level="CRITICAL"),
        ).changed()
        if report.failed:
            raise MillraceError(report.failed[0].error)


@pytest.fixture(scope="module")
def stage(engine) -> tuple[tuple[Wire, Wire], tuple[Clients, Clients, Clients]]:
    wires = Wire(), Wire()
    first, second = (Clients.on(engine.endpoint, wire) for wire in wires)
    return wires, (first, second, Clients.on(engine.endpoint))


def test_every_crash_point_survives(stage, figures):
    """Whatever call goes wrong, files, manifests and rows end as after clean runs."""
    wires, clients = stage
    outcome = explore(lambda: ExportStory(*clients), wires[0], KINDS)
    figures(f"export: {outcome.summary()}")
    assert outcome.survivors == outcome.points, str(outcome)
    assert {"S3 PUT", "S3 POST", "PutItem", "DeleteItem"} <= set(outcome.calls)


def test_pairs_of_faults_survive(stage, figures):
    """Also when the next run goes wrong too, or runs beside a zombie."""
    wires, clients = stage
    outcome = explore_pairs(lambda: ExportStory(*clients), wires, sampled(PAIRS, SEED))
    figures(f"export, pairs: {outcome.summary()}")
    assert outcome.survivors == outcome.points, str(outcome)


def test_old_content_over_new_is_caught(stage, monkeypatch):
    """Without versions a run that overslept puts its file over the one with the late events."""
    monkeypatch.setattr("export.adapters.files._over", lambda base: {})
    wires, clients = stage
    outcome = explore(lambda: ExportStory(*clients), wires[0], [FaultKind.PAUSE_BEFORE])
    assert outcome.differences
