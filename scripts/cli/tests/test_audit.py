"""`millrace audit` and who may leave out a reason."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from millrace.audit import Operation, audited
from millrace_cli.environment import load_environment
from millrace_cli.errors import CommandError
from millrace_cli.main import app
from millrace_cli.operators import audit_log, stated_reason
from millrace_testing.fakes import FixedClock
from millrace_testing.tables import AUDIT, create_table

REGION = "us-east-1"
NAMES = ("commits", "gate", "event_index", "aggregates", "manifests", "assignments", "experiments")


def outputs_file(folder: Path, **tables: str) -> Path:
    file = folder / "outputs.json"
    values = {
        "region": REGION, "name_prefix": "p", "stream_arn": "arn", "stream_incarnation": "i",
        "data_bucket": "p-data", "tables": {**{name: f"p-{name}" for name in NAMES}, **tables},
        "queue_urls": {}, "dlq_urls": {},
    }  # fmt: skip
    file.write_text(json.dumps(values))
    return file


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        create_table(boto3.client("dynamodb", region_name=REGION), "p-audit", AUDIT)
        yield outputs_file(tmp_path, audit="p-audit")


def millrace(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["audit", *arguments], terminal_width=200)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_audit_shows_operations_by_name_and_time(outputs):
    """One JSON a line; for people lines that no width breaks, with what came of it."""
    log = audit_log(load_environment("local", outputs))
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    for name in ("dlq.redrive", "quarantine.drop"):
        with audited(log, FixedClock(hour_ago), Operation(name, "enrich", "ann", "why not")) as t:
            t.add("sent", 1_200)
    found = [
        json.loads(line) for line in millrace("--json", "--outputs", str(outputs)).splitlines()
    ]
    assert len(found) == 4
    only = millrace("--json", "--operation", "dlq", "--outputs", str(outputs)).splitlines()
    assert [(row["phase"], row["counts"]) for row in map(json.loads, only)] == [
        ("begun", {}), ("done", {"sent": 1_200}),
    ]  # fmt: skip
    shown = millrace("--outputs", str(outputs)).splitlines()
    assert [line.partition("  ")[2] for line in shown if "dlq" in line] == [
        "dlq.redrive  begun  by ann", "dlq.redrive  done  by ann",
    ]  # fmt: skip
    assert shown[3:7] == [shown[3], "  enrich", "  because: why not", "  1,200 sent"]
    assert "nothing was done" in millrace("--to", "2020-01-01", "--from", "2019-01-01",
                                          "--outputs", str(outputs))  # fmt: skip


def test_outside_local_a_reason_is_needed(outputs, tmp_path):
    """White space is none; a deployment of an earlier release has no audit."""
    environment = load_environment("local", outputs)
    assert stated_reason(environment, " because ") == "because"
    with pytest.raises(CommandError, match="--reason is needed"):
        stated_reason(environment, "  ")
    with pytest.raises(CommandError, match="has no audit"):
        audit_log(load_environment("local", outputs_file(tmp_path)))
