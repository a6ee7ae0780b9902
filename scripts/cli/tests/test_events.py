"""`millrace events` and `millrace event` on moto, over what enrich writes."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import orjson
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from millrace.aws.index import DynamoIndexWriter
from millrace.aws.ledger import DynamoLedger
from millrace.aws.ledger_items import to_attributes
from millrace.aws.objects import S3Objects
from millrace.commit import Checkpoint, CommittedLine, Owner
from millrace.identity import gate_key
from millrace.index import pages_of
from millrace.times import format_ms, to_epoch_ms
from millrace_cli.main import app
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes, index_entry
from millrace_testing.tables import COMMITS, EVENT_INDEX, GATE, create_table

ENTITY = "user #7/ü"


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Three events of one entity, the last two of them the same, committed and indexed."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    tables = {"commits": COMMITS, "gate": GATE, "event_index": EVENT_INDEX}
    with mock_aws():
        dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
        for name, schema in tables.items():
            create_table(dynamodb, name, schema)
        s3.create_bucket(Bucket="data")
        store(dynamodb, S3Objects(s3, "data"))
        file = tmp_path / "outputs.json"
        file.write_text(
            json.dumps(
                {
                    "region": "us-east-1",
                    "name_prefix": "p",
                    "stream_arn": "a",
                    "stream_incarnation": "i",
                    "data_bucket": "data",
                    "tables": {name: name for name in tables}
                    | {"aggregates": "a", "manifests": "m", "assignments": "x", "experiments": "y"},
                    "queue_urls": {},
                    "dlq_urls": {},
                }
            )
        )
        yield str(file)


def store(dynamodb: Any, objects: S3Objects) -> None:
    times = [ARRIVAL - timedelta(minutes=minutes) for minutes in (1, 9, 9)]
    lines = [
        event_bytes(min(n, 1), entity_id=ENTITY, event_time=format_ms(at))
        for n, at in enumerate(times)
    ]
    repeated = CommittedLine(102, 0, to_epoch_ms(ARRIVAL), Owner(str(SHARD), 101, 0))
    commit, raw = commit_of(lines, duplicates={2: repeated})
    DynamoLedger(dynamodb, "commits").commit(Checkpoint(), Checkpoint(1, 102, ()), commit)
    objects.put_new(str(commit.head.raw_key), raw)
    entries = [
        index_entry(min(n, 1), entity_id=ENTITY, event_time=at, line=n, duplicate=n == 2)
        for n, at in enumerate(times)
    ]
    writer = DynamoIndexWriter(dynamodb, "event_index", 16)
    writer.write(pages_of(entries, ARRIVAL, writer.settled_buckets({ARRIVAL.date()})))
    item = {"id": gate_key("web", "event-1"), "owner": str(Owner(str(SHARD), 101, 0))}
    dynamodb.put_item(TableName="gate", Item=to_attributes(item))


def millrace(*arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == code, result.output
    return result


def test_an_entitys_day_in_order(outputs: str) -> None:
    """One JSON a line, by event time, without the repetition."""
    done = millrace("events", "--entity", ENTITY, "--from", "2025-12-28", "--outputs", outputs)
    rows = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert [row["event_id"] for row in rows] == ["event-1", "event-0"]
    assert rows[0] == {
        "event_id": "event-1",
        "event_type": "view",
        "entity_id": ENTITY,
        "event_time": "2025-12-28T09:21:00.000Z",
        "source": "web",
        "arrival_time": "2025-12-28T09:30:00.000Z",
        "lag_ms": 540_000,
        "duplicate": False,
        "commit_id": "1a2b3c4d-shardId-000000000000-100",
        "line": 1,
    }


def test_duplicates_and_payloads_on_request(outputs: str) -> None:
    """With both options each repetition comes with its own payload; --json makes it one array."""
    done = millrace(
        "events", "--entity", ENTITY, "--from", "2025-12-28T09", "--to", "2025-12-28T09:25",
        "--include-duplicates", "--payload", "--json", "--outputs", outputs,
    )  # fmt: skip
    rows = json.loads(done.stdout)
    assert [(row["line"], row["duplicate"]) for row in rows] == [(1, False), (2, True)]
    assert [row["payload"] for row in rows] == [{"number": 1}] * 2


def test_nobodys_events_are_none(outputs: str) -> None:
    """An entity without events prints nothing and is no error."""
    done = millrace("events", "--entity", "nobody", "--from", "2025-12-28", "--outputs", outputs)
    assert done.stdout == ""


def test_an_event_by_its_id(outputs: str) -> None:
    """The event as it was sent, its commit and its place; the payload on request."""
    asked = ("event", "event-1", "--source", "web", "--outputs", outputs)
    row = orjson.loads(millrace(*asked).stdout)
    assert (row["commit_id"], row["sequence"], row["line"]) == (
        "1a2b3c4d-shardId-000000000000-100",
        "101",
        1,
    )
    assert row["raw_key"].startswith("raw/dt=2025-12-28/hour=09/")
    assert "payload" not in row["event"]
    assert json.loads(millrace(*asked, "--payload", "--json").stdout)["event"]["payload"] == {
        "number": 1
    }
    sent = event_bytes(1, entity_id=ENTITY, event_time="2025-12-28T09:21:00.000Z")
    assert millrace(*asked, "--raw").stdout_bytes == sent + b"\n"


def test_an_unknown_id_says_where_to_look(outputs: str) -> None:
    """The default source is `unknown`; the error names both ways on."""
    done = millrace("event", "event-1", "--outputs", outputs, code=1)
    assert "no event event-1 of source unknown is known" in done.stderr
    assert "--source" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_object_that_is_gone_is_one_line(outputs: str) -> None:
    """What the ledger names and the bucket lacks is an error, not a traceback."""
    s3 = boto3.client("s3")
    for found in s3.list_objects_v2(Bucket="data")["Contents"]:
        s3.delete_object(Bucket="data", Key=found["Key"])
    done = millrace("event", "event-1", "--source", "web", "--outputs", outputs, code=1)
    assert "is missing" in done.stderr
    assert done.stderr.count("\n") == 1
