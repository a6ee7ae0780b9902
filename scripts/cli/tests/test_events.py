"""`millrace events` and `millrace event` on moto, over what enrich writes."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import orjson
import pytest
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
from millrace_testing.tables import (
    AGGREGATES,
    COMMITS,
    EVENT_INDEX,
    GATE,
    MANIFESTS,
    REPLAYS,
    create_table,
)

ENTITY = "user #7/ü"


@pytest.fixture
def outputs(aws, tmp_path: Path) -> str:
    """Three events of one entity, the last two of them the same, committed and indexed."""
    tables = {
        "commits": COMMITS, "gate": GATE, "event_index": EVENT_INDEX, "aggregates": AGGREGATES,
        "manifests": MANIFESTS, "replays": REPLAYS,
    }  # fmt: skip
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
                "stream_incarnation": SHARD.incarnation,
                "data_bucket": "data",
                "tables": {name: name for name in tables}
                | {"assignments": "x", "experiments": "y"},
                "queue_urls": {},
                "dlq_urls": {},
            }
        )
    )
    return str(file)


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
    """Its bytes, its place, its copy, and that the stages behind ingest have yet to come to it."""
    asked = ("event", "event-1", "--source", "web", "--outputs", outputs)
    life = json.loads(millrace(*asked, "--json").stdout)
    first = life["first"]
    assert (first["commit_id"], first["sequence"], first["line"]) == (
        "1a2b3c4d-shardId-000000000000-100",
        "101",
        1,
    )
    assert first["raw_key"].startswith("raw/dt=2025-12-28/hour=09/")
    assert life["event"]["payload"] == {"number": 1}
    assert [copy["line"] for copy in life["copies"]] == [2]
    assert life["enriched"]["standing"] == life["archived"]["standing"] == "pending"
    assert life["read"]["query_pages"] > 0
    sent = event_bytes(1, entity_id=ENTITY, event_time="2025-12-28T09:21:00.000Z")
    assert millrace(*asked, "--raw").stdout_bytes == sent + b"\n"


def test_a_life_for_a_person(outputs: str) -> None:
    """The same in words; what it took to read goes to standard error."""
    done = millrace("event", "event-1", "--source", "web", "--verbose", "--outputs", outputs)
    for name in ("found by the gate", ENTITY, "Copies", "not enriched yet", "No replay touched it"):
        assert name in done.stdout
    assert "query pages" in done.stderr
    assert "query pages" not in done.stdout


def test_a_forgotten_id_is_found_by_entity_and_day(outputs: str) -> None:
    """The gate's item is gone; the index leads there."""
    key = to_attributes({"id": gate_key("web", "event-1")})
    boto3.client("dynamodb").delete_item(TableName="gate", Key=key)
    asked = ("event", "event-1", "--source", "web", "--outputs", outputs)
    assert "entity and day as well" in millrace(*asked, code=1).stderr
    place = ("--entity", ENTITY, "--day", "2025-12-28", "--json")
    assert json.loads(millrace(*asked, *place).stdout)["found_by"] == "index"


def test_a_record_by_its_place(outputs: str) -> None:
    """Shard and sequence number lead to its events; one that no commit holds says so."""
    shard = ("event", "--shard", "shardId-000000000000", "--outputs", outputs)
    record = json.loads(millrace(*shard, "--sequence", "102", "--json").stdout)
    assert [each["duplicate_of"] for each in record["events"]] == [str(Owner(str(SHARD), 101, 0))]
    assert "a copy of" in millrace(*shard, "--sequence", "102").stdout
    assert "no commit holds record 7" in millrace(*shard, "--sequence", "7", code=1).stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "give its id"),
        (("x", "--day", "2025-12-28"), "--entity and --day"),
        (("x", "--entity", "e", "--day", "today"), "--day 'today' is no day"),
        (("x", "--shard", "s", "--sequence", "1"), "without an id"),
        (("--shard", "s"), "--shard and --sequence"),
        (("--shard", "s", "--sequence", "1x"), "no sequence number"),
    ],
)
def test_wrong_questions_name_the_option(
    outputs: str, arguments: tuple[str, ...], named: str
) -> None:
    """One line, and exit code 2."""
    done = millrace("event", *arguments, "--outputs", outputs, code=2)
    assert named in done.stderr
    assert done.stderr.count("\n") == 1


def test_events_of_a_source_or_type(outputs: str) -> None:
    """Filtered; as CSV with a header, or as a table."""
    asked = ("events", "--entity", ENTITY, "--from", "2025-12-28", "--outputs", outputs)
    assert millrace(*asked, "--source", "app").stdout == ""
    assert millrace(*asked, "--type", "edit").stdout == ""
    lines = millrace(*asked, "--type", "view", "--csv", "--payload").stdout.splitlines()
    assert lines[0].startswith("event_id,event_type,")
    assert [line.split(",")[0] for line in lines[1:]] == ["event-1", "event-0"]
    assert lines[1].endswith('"{""number"":1}"')
    table = millrace(*asked, "--table", "--payload", "--include-duplicates", "--verbose")
    assert "copy" in table.stdout
    assert "read:" in table.stderr
    assert "choose one" in millrace(*asked, "--csv", "--json", code=2).stderr


def test_an_unknown_id_says_where_to_look(outputs: str) -> None:
    """The default source is `unknown`; the error names the way on."""
    done = millrace("event", "event-1", "--outputs", outputs, code=1)
    assert "no event event-1 of source unknown" in done.stderr
    assert "entity and day as well" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_object_that_is_gone_is_one_line(outputs: str) -> None:
    """What the ledger names and the bucket lacks is an error, not a traceback."""
    s3 = boto3.client("s3")
    for found in s3.list_objects_v2(Bucket="data")["Contents"]:
        s3.delete_object(Bucket="data", Key=found["Key"])
    done = millrace("event", "event-1", "--source", "web", "--outputs", outputs, code=1)
    assert "is missing" in done.stderr
    assert done.stderr.count("\n") == 1
