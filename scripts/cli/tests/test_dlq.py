"""`millrace dlq` on moto: what it shows, writes down, deletes and refuses."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from millrace.aws import dead_letters
from millrace.aws.dead_letters import DynamoNotes
from millrace.dlq.letter import body_hash
from millrace.dlq.notes import Note, Outcome
from millrace_cli.dlq import parse_age
from millrace_cli.errors import CommandError
from millrace_cli.main import app
from millrace_cli.tables.dlq import span
from millrace_testing.builders import ARRIVAL
from millrace_testing.tables import AUDIT, NOTES, create_table

REGION = "us-east-1"
TABLES = ("commits", "gate", "event_index", "aggregates", "manifests", "assignments",
          "experiments", "audit", "notes")  # fmt: skip
DENIED = '{"v": 1, "commit_id": "commit-1"}'
POISON = "poison"
DLQ = "p-aggregate-dlq"
ROOT = Path(__file__).parents[3]


@dataclass
class Deployment:
    """Two queues with their dead letters on moto, and the command on them."""

    outputs: Path
    sqs: Any

    def put(self, *bodies: str) -> None:
        url = self.sqs.get_queue_url(QueueName=DLQ)["QueueUrl"]
        for body in bodies:
            self.sqs.send_message(QueueUrl=url, MessageBody=body)

    def depth(self, name: str = DLQ) -> int:
        url = self.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return int(found["ApproximateNumberOfMessages"])

    def run(self, *arguments: str, exit_code: int = 0, typed: str | None = None) -> str:
        result = CliRunner().invoke(
            app, ["dlq", *arguments, "--outputs", str(self.outputs)], input=typed,
            terminal_width=200,
        )  # fmt: skip
        assert result.exit_code == exit_code, result.output
        return result.stdout if exit_code in (0, 3) else result.output

    def json(self, *arguments: str, exit_code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", exit_code=exit_code))

    def audited(self) -> list[dict[str, Any]]:
        table = boto3.resource("dynamodb", region_name=REGION).Table("p-audit")
        return sorted(table.scan()["Items"], key=lambda item: item["entry"])


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Deployment]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dead_letters, "LONG_POLL_S", 0)  # moto knows at once what is there
    with mock_aws():
        dynamodb, sqs = (boto3.client(each, region_name=REGION) for each in ("dynamodb", "sqs"))
        create_table(dynamodb, "p-audit", AUDIT)
        create_table(dynamodb, "p-notes", NOTES)
        urls = {
            name: sqs.create_queue(QueueName=f"p-{name}")["QueueUrl"]
            for name in ("enrich", "aggregate", "enrich-dlq", "aggregate-dlq")
        }
        note = Note("p-aggregate", body_hash(DENIED), Outcome.FAILED, ARRIVAL, "request-1", 5,
                    "ConfigError", "UpdateItem: table-1 is not allowed")  # fmt: skip
        DynamoNotes(dynamodb, "p-notes").write([note])
        outputs = tmp_path / "outputs.json"
        values = {
            "region": REGION, "name_prefix": "p", "stream_incarnation": "i",
            "stream_arn": "arn:aws:kinesis:us-east-1:123456789012:stream/p",
            "data_bucket": "p-data", "tables": {name: f"p-{name}" for name in TABLES},
            "queue_urls": {name: urls[name] for name in ("enrich", "aggregate")},
            "dlq_urls": {name: urls[f"{name}-dlq"] for name in ("enrich", "aggregate")},
        }  # fmt: skip
        outputs.write_text(json.dumps(values))
        yield Deployment(outputs, sqs)


def test_list_groups_by_error_and_takes_nothing(deployment):
    """Depth, age and groups; 3 as long as there is a dead letter, 0 when there is none."""
    assert [each["messages"] for each in deployment.json("list")] == [0, 0]
    deployment.put(DENIED, DENIED, POISON)
    _, aggregate = deployment.json("list", exit_code=3)
    assert {each["error"]: each["messages"] for each in aggregate["groups"]} == {
        "ConfigError: UpdateItem: * is not allowed": 2,
        "not a JSON object: no message of this pipeline": 1,
    }
    assert deployment.depth() == 3
    shown = deployment.run("list", exit_code=3)
    assert "UpdateItem: * is not allowed" in shown
    assert deployment.json("list", "--sample", "0", exit_code=3)[1]["groups"] == []


def test_show_says_what_a_message_is_about_and_why_it_failed(deployment):
    """One a line for people; with its body for programs."""
    deployment.put(DENIED, POISON)
    shown = deployment.run("show", "aggregate", "--error", "not allowed")
    assert "commit-1" in shown
    assert "table-1 is not allowed (request request-1)" in shown
    (row,) = deployment.json("show", "aggregate", "--error", "JSON")
    assert (row["body"], row["failed_at"]) == (POISON, None)


def test_redrive_by_message(deployment):
    """Forced, by its id: the others stay; who and why is in the audit; a dry run does nothing."""
    deployment.put(DENIED, POISON)
    (row,) = deployment.json("show", "aggregate", "--error", "allowed")
    what = ("redrive", "aggregate", "--message-id", row["message_id"])
    assert deployment.json(*what, "--dry-run")[0]["groups"][0]["messages"] == 1
    assert deployment.audited() == []
    refused = deployment.run(*what, "--force", exit_code=2)
    assert "--reason is needed" in refused
    (done,) = deployment.json(*what, "--force", "--reason", "the right is back")
    assert (done["sent"], done["left"]) == (1, 0)
    assert (deployment.depth(), deployment.depth("p-aggregate")) == (1, 1)
    begun, ended = deployment.audited()
    assert (begun["phase"], ended["phase"], ended["counts"]["sent"]) == ("begun", "done", 1)
    assert (ended["reason"], ended["details"]["message_ids"]) == (
        "the right is back", row["message_id"],
    )  # fmt: skip


def test_a_canary_without_news_keeps_the_rest(deployment):
    """Nobody consumes on moto: one message goes, the others stay, and that is exit code 3."""
    deployment.put(DENIED, DENIED, DENIED)
    (done,) = deployment.json(
        "redrive", "aggregate", "--error", "allowed", "--wait", "1", "--reason", "x", exit_code=3
    )
    assert (done["failed_canaries"], done["kept"]) == (1, 2)
    assert done["groups"][0]["verdict"] == "no news"
    text = deployment.run(
        "redrive", "--all", "--error", "allowed", "--wait", "1", "--reason", "x", exit_code=3
    )
    assert "no news: is the function's mapping on?" in text


def test_export_leaves_everything_where_it_is(deployment, tmp_path):
    """NDJSON in a new file; an existing one is never written over; S3 takes it too."""
    deployment.put(DENIED, POISON)
    file = tmp_path / "out.ndjson"
    what = ("export", "aggregate", "--reason", "x", "--to")
    assert deployment.json(*what, str(file))["messages"] == 2
    assert {json.loads(line)["body"] for line in file.read_text().splitlines()} == {DENIED, POISON}
    assert "is there already" in deployment.run(*what, str(file), exit_code=2)
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket="exports")
    place = deployment.json(*what, "s3://exports/dlq/")["to"]
    (found,) = s3.list_objects_v2(Bucket="exports")["Contents"]
    assert f"s3://exports/{found['Key']}".startswith(place)
    assert deployment.depth() == 2


def test_purge_wants_the_name_and_exports_first(deployment, tmp_path):
    """Another name deletes nothing; the right one, typed or given, leaves a file behind."""
    deployment.put(DENIED, POISON)
    file = tmp_path / "out.ndjson"
    what = ("purge", "aggregate", "--to", str(file), "--reason", "poison")
    assert "is not the queue's name" in deployment.run(*what, exit_code=2, typed="aggregate\n")
    assert (deployment.depth(), file.exists()) == (2, False)
    assert "--confirm" in deployment.run(*what, "--json", exit_code=2)
    assert deployment.depth() == 2
    deployment.run(*what, "--error", "JSON", typed=f"{DLQ}\n")
    (row,) = map(json.loads, file.read_text().splitlines())
    assert (row["body"], deployment.depth()) == (POISON, 1)
    other = ("--to", str(tmp_path / "rest.ndjson"))
    deployment.run("purge", "aggregate", "--confirm", DLQ, "--reason", "x", *other)
    assert deployment.depth() == 0


def test_wrong_use_says_what_to_write(deployment):
    """Unknown queue, none at all, a time that is none."""
    assert "there are enrich, aggregate" in deployment.run("show", "nothing", exit_code=2)
    assert "--all" in deployment.run("redrive", exit_code=2)
    assert "2h" in deployment.run("show", "enrich", "--older-than", "soon", exit_code=2)
    with pytest.raises(CommandError, match="90s"):
        parse_age("1 week", "--older-than")
    assert parse_age("3d", "--older-than") == timedelta(days=3)


def test_times_are_said_as_people_do():
    """Seconds, minutes, hours, days."""
    said = [span(timedelta(seconds=each)) for each in (5, 300, 7_260, 200_000, -3)]
    assert said == ["5 s", "5 min", "2 h 1 min", "2 d 7 h", "0 s"]


def test_the_script_calls_the_command():
    """From any folder, with every option of `dlq redrive`."""
    script = ROOT / "scripts" / "dlq_redrive"
    done = subprocess.run(
        [str(script), "--help"],
        cwd="/", env={**os.environ, "COLUMNS": "200"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "--message-id" in done.stdout
    wrong = subprocess.run([str(script)], cwd="/", capture_output=True, text=True, check=False)
    assert wrong.returncode in (1, 2)
