"""Lambda's shapes, from AWS's own sample of a schedule, through the wired service on moto."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from export import handler as entry
from export.request import BadRequest
from millrace.aws.ledger_items import to_attributes
from millrace.aws.manifests import dirty_key
from millrace.errors import ConfigError
from millrace.raw_lines import pack
from millrace_testing.builders import enriched_event
from millrace_testing.lambda_context import lambda_context
from millrace_testing.tables import COMMITS, MANIFESTS, create_table

FIXTURES = Path(__file__).parents[4] / "shared" / "data" / "lambda-event-fixtures"
SCHEDULES = ["aws-sam-cli/ScheduledEvent.json", "aws-lambda-dotnet/scheduled-event.json"]
HOUR = datetime(2025, 12, 28, 9, tzinfo=UTC)
LABEL = "2025-12-28T09"


@pytest.fixture
def s3(aws, monkeypatch) -> Iterator[Any]:
    """What Terraform makes for export, on moto, with one hour that waits."""
    dynamodb, s3, kinesis = (boto3.client(each) for each in ("dynamodb", "s3", "kinesis"))
    create_table(dynamodb, "commits", COMMITS)
    create_table(dynamodb, "manifests", MANIFESTS)
    s3.create_bucket(Bucket="data")
    kinesis.create_stream(StreamName="events", ShardCount=1)
    summary = kinesis.describe_stream_summary(StreamName="events")["StreamDescriptionSummary"]
    for name, value in {
        "DATA_BUCKET": "data",
        "COMMITS_TABLE": "commits",
        "MANIFESTS_TABLE": "manifests",
        "STREAM_ARN": summary["StreamARN"],
        "STREAM_INCARNATION": "1a2b3c4d",
        "EXPORT_CLIENT_BUCKETS": '{"nobody": "elsewhere"}',
        "EXPORT_RESERVE_S": "1",
    }.items():
        monkeypatch.setenv(name, value)
    archive(s3, dynamodb)
    entry.handler.forget_service()
    yield s3
    entry.handler.forget_service()


def archive(s3, dynamodb) -> None:
    events = [
        enriched_event(n, client_id=("acme", "shop")[n % 2], event_time=HOUR + timedelta(minutes=n))
        for n in range(5)
    ]
    body = pack([event.to_line() for event in events]).body
    s3.put_object(Bucket="data", Key="archive/c-0.ndjson.gz", Body=body)
    row = {
        "hour": LABEL,
        "object_key": "archive/c-0.ndjson.gz",
        "events": 5,
        "bytes": len(body),
        "input_hash": f"{sum(event.hash64 for event in events) % 2**64:016x}",
        "clients": {"acme": 3, "shop": 2},
    }
    for item in (to_attributes(row), dirty_key(LABEL) | to_attributes({"token": "t"})):
        dynamodb.put_item(TableName="manifests", Item=item)


def keys(s3) -> list[str]:
    found = s3.list_objects_v2(Bucket="data", Prefix="clients/")
    return [each["Key"] for each in found.get("Contents", [])]


@pytest.mark.parametrize("name", SCHEDULES)
def test_official_samples_of_a_schedule(s3, name):
    """AWS's sample event exports what waits; a second one finds nothing to do."""
    if not FIXTURES.is_dir():
        pytest.skip("../shared/data is not beside this checkout")
    event = json.loads((FIXTURES / name).read_text(encoding="utf-8-sig"))
    answer = entry.handler(event, lambda_context())
    assert answer["hours"] == [
        {
            "hour": LABEL,
            "status": "complete",
            "clients": 2,
            "files_written": 2,
            "manifests_written": 0,
            "clients_left": 0,
            "clients_failed": 0,
            "events": 5,
        }
    ]
    assert (answer["done"], answer["failed"]) == (True, [])
    assert keys(s3) == [
        f"clients/{client}/events-2025-12-28-09.{end}"
        for client in ("acme", "shop")
        for end in ("json", "manifest.json")
    ]
    assert entry.handler(event, lambda_context())["hours"] == []


def emitted(capsys, name: str) -> list[float]:
    """Return the values that were printed of a metric."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return [value for line in lines for value in line.get(name, [])]


def test_a_run_says_how_many_hours_are_not_exported(s3, capsys, monkeypatch):
    """Scheduled runs alone say it: 1 while the hour is not settled, 0 once it is complete."""
    scheduled = {"detail-type": "Scheduled Event"}
    monkeypatch.setenv("EXPORT_GRACE_S", str(10**10))
    entry.handler(scheduled, lambda_context())
    assert emitted(capsys, "HoursNotExported") == [1.0]
    monkeypatch.setenv("EXPORT_GRACE_S", "0")
    entry.handler.forget_service()
    entry.handler({"hours": [LABEL]}, lambda_context())
    assert emitted(capsys, "HoursNotExported") == []
    entry.handler(scheduled, lambda_context())
    assert emitted(capsys, "HoursNotExported") == [0.0]


def test_hours_by_hand(s3):
    """A request names its hours; one client's files alone are written."""
    request = {"hours": [LABEL, "2025-12-28T10"], "client_id": "shop"}
    answer = entry.handler(request, lambda_context())
    assert [(each["hour"], each["files_written"]) for each in answer["hours"]] == [
        (LABEL, 1),
        ("2025-12-28T10", 0),
    ]
    assert all(key.startswith("clients/shop/") for key in keys(s3))


def test_metrics(s3, capsys):
    """Files, events, their rate, uploads and hours by status go out as EMF."""
    entry.handler({"hours": [LABEL]}, lambda_context())
    emf = next(
        json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line
    )
    assert (emf["EventsExported"], emf["ExportFiles"], emf["UploadsSucceeded"]) == ([5], [2], [2])
    assert (emf["HoursComplete"], emf["HoursProvisional"]) == ([1], [0])
    assert (emf["UploadsFailed"], emf["HoursFailed"], emf["ExportErrors"]) == ([0], [0], [0])
    assert emf["EventsPerSecond"][0] > 0


def test_a_bad_request_is_refused(s3):
    """What names no hour fails loudly, with the field."""
    with pytest.raises(BadRequest, match="hours"):
        entry.handler({"hour": LABEL}, lambda_context())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EXPORT_FORMAT", "csv"),
        ("EXPORT_CLIENT_BUCKETS", "[]"),
        ("EXPORT_SEGMENTS", "0"),
        ("STREAM_ARN", None),
    ],
)
def test_a_bad_setting_fails_every_invocation(s3, monkeypatch, name, value):
    """An environment that cannot be right is named, and nothing is written."""
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    for _ in range(2):
        with pytest.raises(ConfigError, match=name):
            entry.handler({"hours": [LABEL]}, lambda_context())
    assert keys(s3) == []


def test_importing_needs_no_environment():
    """The module can be imported with an empty environment and makes no client."""
    code = "import export.handler, boto3; assert boto3.DEFAULT_SESSION is None"
    done = subprocess.run([sys.executable, "-c", code], env={}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
