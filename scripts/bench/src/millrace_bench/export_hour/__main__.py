"""`python -m millrace_bench.export_hour`: make an hour, or export one and say what it took.

Each step is a process of its own, so that the export's peak of memory is its own.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer

from export.adapters.archive import ManifestedArchive
from export.adapters.files import S3ClientFiles
from export.adapters.rows import DynamoExports
from export.adapters.spill import DiskSpill
from export.domain.files import Placement, Status
from export.domain.form import Form
from export.service import Bounds, Export
from millrace.aws.ledger_items import to_attributes
from millrace.aws.manifests import ManifestsReader
from millrace.aws.objects import S3Objects
from millrace.batch import max_memory_mb
from millrace.clock import SystemClock
from millrace.windows import hour_label
from millrace_bench.export_hour.folder import FolderArchive, FolderS3, RememberedExports
from millrace_bench.export_hour.making import HOUR, make_folder, make_hour
from millrace_local.engine import running

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

BUCKET = "export-hour"
TABLE = "export-hour-manifests"

Events = Annotated[int, typer.Option(min=1)]
Engine = Annotated[str | None, typer.Option(help="A running local engine; without it a folder.")]


@dataclass(frozen=True, slots=True)
class _Store:
    """The clients of an engine."""

    s3: Any
    dynamodb: Any

    @classmethod
    def of(cls, engine: str) -> "_Store":
        found = running(engine)
        return cls(found.client("s3"), found.client("dynamodb"))


@app.command()
def make(folder: Path, events: Events, clients: Events, engine: Engine = None) -> None:
    """Make an hour of so many events of so many clients in FOLDER, or in an engine."""
    if engine is None:
        make_folder(folder, events, clients)
        return
    store = _Store.of(engine)
    store.s3.create_bucket(Bucket=BUCKET)
    store.dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "hour", "KeyType": "HASH"},
            {"AttributeName": "object_key", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "hour", "AttributeType": "S"},
            {"AttributeName": "object_key", "AttributeType": "S"},
        ],
    )

    def keep(row: Any, body: bytes) -> None:  # noqa: ANN401 - an ArchivedObject
        store.s3.put_object(Bucket=BUCKET, Key=row.key, Body=body)
        fields = {
            "hour": hour_label(HOUR),
            "object_key": row.key,
            "events": row.events,
            "bytes": row.size_bytes,
            "input_hash": f"{row.input_hash:016x}",
            "clients": dict(row.clients),
        }
        store.dynamodb.put_item(TableName=TABLE, Item=to_attributes(fields))

    make_hour(events, clients, keep)


@app.command()
def run(folder: Path, engine: Engine = None) -> None:
    """Export the hour; print events, seconds and the peak of memory as JSON."""
    export = _with_store(_Store.of(engine)) if engine else _without_store(folder)
    started = perf_counter()
    outcome = export.export(HOUR, Status.COMPLETE)
    took_s = perf_counter() - started
    figures = {"events": outcome.events, "took_s": took_s, "peak_mb": max_memory_mb()}
    typer.echo(json.dumps(figures | {"files": len(outcome.written)}))


def _without_store(folder: Path) -> Export:
    s3: Any = FolderS3(folder)
    return Export(
        archive=FolderArchive(folder),
        exports=RememberedExports(),
        files=S3ClientFiles(s3),
        placement=Placement("files", {}, Form()),
        new_spill=lambda: DiskSpill(Bounds().spill_bytes),
        bounds=Bounds(),
    )


def _with_store(store: _Store) -> Export:
    return Export(
        archive=ManifestedArchive(
            ManifestsReader(store.dynamodb, TABLE), S3Objects(store.s3, BUCKET)
        ),
        exports=DynamoExports(store.dynamodb, TABLE, SystemClock()),
        files=S3ClientFiles(store.s3),
        placement=Placement(BUCKET, {}, Form()),
        new_spill=lambda: DiskSpill(Bounds().spill_bytes),
        bounds=Bounds(),
    )


if __name__ == "__main__":
    app()
