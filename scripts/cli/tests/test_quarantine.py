"""`millrace quarantine` against moto: what it shows, sends and marks, and how it ends."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import orjson
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from millrace.aws.ledger_items import head_item
from millrace.aws.quarantine import DynamoMarks
from millrace.commit import ShardKey
from millrace.quarantine.marks import CommitKey, CommitMarks, Mark, State
from millrace_cli.main import app
from millrace_testing.builders import event_fields
from millrace_testing.quarantine import rejected_commit
from millrace_testing.tables import AUDIT, COMMITS, create_table

pytestmark = pytest.mark.validation
REGION = "us-east-1"
SHARD = ShardKey("i", "shardId-000000000000")
NAMES = ("gate", "event_index", "aggregates", "manifests", "assignments", "experiments")


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A deployment whose one commit rejected three events without a time, and a broken one."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        kinesis, dynamodb = client("kinesis"), client("dynamodb")
        kinesis.create_stream(StreamName="p-events", ShardCount=1)
        summary = kinesis.describe_stream_summary(StreamName="p-events")
        client("s3").create_bucket(Bucket="p-data")
        create_table(dynamodb, "p-commits", COMMITS)
        create_table(dynamodb, "p-audit", AUDIT)
        datas = [orjson.dumps(unnamed_time(n)) for n in range(3)]
        commit, body = rejected_commit(
            [*datas, b'{"source":"web"'], shard=SHARD, arrival=datetime.now(UTC), accepted=4
        )
        client("s3").put_object(Bucket="p-data", Key=str(commit.head.quarantine_key), Body=body)
        dynamodb.put_item(TableName="p-commits", Item=head_item(commit.head))
        file = tmp_path / "outputs.json"
        values = {
            "region": REGION, "name_prefix": "p",
            "stream_arn": summary["StreamDescriptionSummary"]["StreamARN"],
            "stream_incarnation": SHARD.incarnation, "data_bucket": "p-data",
            "tables": {**{name: f"p-{name}" for name in NAMES}, "commits": "p-commits",
                       "audit": "p-audit"},
            "queue_urls": {}, "dlq_urls": {},
        }  # fmt: skip
        file.write_text(json.dumps(values))
        yield file


def client(service: str) -> Any:
    make: Any = boto3.client
    return make(service, region_name=REGION)


def unnamed_time(number: int) -> dict[str, Any]:
    fields = event_fields(number)
    return {"ts": fields.pop("event_time")} | fields


def millrace(outputs: Path, *arguments: str, code: int = 0) -> str:
    command = ["quarantine", *arguments, "--outputs", str(outputs)]
    result = CliRunner().invoke(app, command, terminal_width=250)
    assert result.exit_code == code, result.output
    return result.output if code else result.stdout


def asked(outputs: Path, *arguments: str, code: int = 0) -> Any:
    return json.loads(millrace(outputs, *arguments, "--json", code=code))


def sent() -> list[dict[str, Any]]:
    """Return what the stream holds."""
    kinesis = client("kinesis")
    iterator = kinesis.get_shard_iterator(
        StreamName="p-events", ShardId=SHARD.shard_id, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records = kinesis.get_records(ShardIterator=iterator)["Records"]
    return [json.loads(record["Data"]) for record in records]


def test_people_see_what_is_there_and_how_to_go_on(outputs: Path) -> None:
    """List, show and stats: place, reason and share; a full page names the next one."""
    listed = millrace(outputs, "list", "--rejected", "missing_field")
    assert listed.count("event_time: Field required") == 3
    page = CliRunner().invoke(
        app, ["quarantine", "list", "--limit", "2", "--json", "--outputs", str(outputs)]
    )
    rows = [json.loads(line) for line in page.stdout.splitlines()]
    assert [row["record"] for row in rows] == [f"{SHARD.shard_id}/{n}/0" for n in (100, 101)]
    assert f"--after {SHARD.shard_id}/101/0" in page.stderr
    rest = millrace(outputs, "list", "--json", "--after", rows[-1]["record"]).splitlines()
    assert [json.loads(line)["reason"] for line in rest] == ["missing_field", "not_json"]
    assert "4 of 8 records were rejected (50.00%)" in millrace(outputs, "stats")
    counted = asked(outputs, "stats", "--by", "schema_version", "--by", "state")
    assert counted["groups"] == [
        {"schema_version": "1", "state": "open", "records": 3},
        {"schema_version": None, "state": "open", "records": 1},
    ]
    shown = millrace(outputs, "show", f"{SHARD.shard_id}/103")
    assert "unexpected end" in shown
    assert shown.endswith('{"source":"web"\n')
    raw = millrace(outputs, "show", f"{SHARD.shard_id}/103/0", "--raw")
    assert raw == '{"source":"web"'


def test_a_rule_is_tried_kept_and_sent_once(outputs: Path, tmp_path: Path) -> None:
    """Options make a rule, --save keeps it, recover sends by it; the second time nothing."""
    rule = tmp_path / "rule.json"
    tried = millrace(outputs, "patch", "--rename", "ts=event_time", "--save", str(rule))
    assert "3 of 4 selected records would validate" in tried
    assert "valid, event_id event-0" in tried
    assert "would still be rejected: 1 not_patchable" in tried
    assert sent() == []
    why = ("--reason", "a release wrote ts")
    assert asked(outputs, "recover", "--rule", str(rule), *why, "--dry-run")["valid"] == 3
    assert sent() == []
    done = asked(outputs, "recover", "--rule", str(rule), *why, "--limit", "2")
    assert (done["selected"], done["sent"]) == (2, 2)
    done = asked(outputs, "recover", "--rule", done["rule_hash"], *why, "--rate", "1000")
    assert (done["sent"], done["problems"]) == (1, {"not_patchable": 1})
    assert asked(outputs, "recover", "--rule", str(rule), *why)["sent"] == 0
    assert [event["event_id"] for event in sent()] == ["event-0", "event-1", "event-2"]
    shown = millrace(outputs, "show", f"{SHARD.shard_id}/100")
    assert "a release wrote ts" in shown
    assert "'rename': 'ts'" in shown
    mark = asked(outputs, "show", f"{SHARD.shard_id}/100")["mark"]
    assert mark["rule"] == {"steps": [{"rename": "ts", "to": "event_time"}]}
    assert asked(outputs, "drop", "--all", "--reason", "the rest") == {
        "dropped": 1, "rejected": {"not_json": 1}, "dry_run": False,
    }  # fmt: skip


def test_what_another_rule_began_is_left_alone_and_told(outputs: Path) -> None:
    """Exit code 3: somebody has to end it by the first rule."""
    key = CommitKey(SHARD, 100)
    begun = Mark(State.BEGUN, frozenset({0, 1}), datetime.now(UTC), "bo", "0123456789abcdef")
    DynamoMarks(client("dynamodb"), "p-commits").write(CommitMarks(key).with_mark(begun))
    arguments = ("recover", "--as-is", "--reason", "judged anew")
    done = asked(outputs, *arguments, code=3)
    assert (done["sent"], done["begun_by_other_rules"]) == (0, {"0123456789abcdef": 2})


def test_what_is_done_stands_in_the_audit(outputs: Path) -> None:
    """Who, why, by which rule, and how many: when it begins and when it ends."""
    place = f"{SHARD.shard_id}/103"
    assert "would be marked" in millrace(
        outputs, "drop", "--record", place, "--reason", "junk", "--dry-run"
    )
    assert "1 records marked dropped" in millrace(
        outputs, "drop", "--record", place, "--reason", "junk"
    )
    assert asked(outputs, "show", place)["mark"]["rule"] is None
    millrace(outputs, "recover", "--as-is", "--reason", "judged anew")
    result = CliRunner().invoke(app, ["audit", "--json", "--outputs", str(outputs)])
    entries = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(each["operation"], each["phase"], each["reason"]) for each in entries] == [
        ("quarantine.drop", "begun", "junk"), ("quarantine.drop", "done", "junk"),
        ("quarantine.recover", "begun", "judged anew"),
        ("quarantine.recover", "done", "judged anew"),
    ]  # fmt: skip
    assert entries[1]["counts"] == {"dropped": 1}
    assert entries[3]["counts"] == {
        "selected": 3, "sent": 0, "still rejected": 3, "begun by another rule": 0,
    }  # fmt: skip
    assert place in entries[0]["subject"]
    assert len(entries[3]["details"]["rule"]) == 16


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("patch",), "no rule, or more than one"),
        (("patch", "--as-is", "--drop", "a"), "no rule, or more than one"),
        (("patch", "--cast", "a=date"), "as cannot be 'date'"),
        (("patch", "no-such-file.toml"), "neither a file nor the hash"),
        (("recover", "--as-is"), "--reason is needed"),
        (("recover", "--rule", "x", "--as-is"), "no rule, or more than one"),
        (("drop", "--reason", "x"), "or say --all"),
        (("drop", "--reason", " ", "--all"), "--reason says nothing"),
        (("drop", "--all"), "Missing option '--reason'"),
        (("show", "100"), "SHARD/SEQUENCE"),
        (("list", "--from", "2025-12-28", "--to", "2025-12-28"), "not after --from"),
        (("list", "--from", "yesterday"), "is no time"),
    ],
)
def test_wrong_use_is_told_and_changes_nothing(
    outputs: Path, arguments: tuple[str, ...], named: str
) -> None:
    """Exit code 2, one line with the remedy."""
    command = ["quarantine", *arguments, "--outputs", str(outputs)]
    result = CliRunner().invoke(app, command)
    assert (result.exit_code, named in result.stderr) == (2, True), result.output
    assert sent() == []


def test_what_is_not_there_is_an_error(outputs: Path) -> None:
    """A place without a record, and an object that is gone, are named; exit code 1."""
    assert "no commit holds record 7" in millrace(outputs, "show", f"{SHARD.shard_id}/7", code=1)
    s3 = client("s3")
    (found,) = s3.list_objects_v2(Bucket="p-data")["Contents"]
    s3.delete_object(Bucket="p-data", Key=found["Key"])
    assert f"{found['Key']} is gone" in millrace(outputs, "stats", code=1)
