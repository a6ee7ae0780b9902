"""`millrace replay promote`, report and moves on moto: what is asked, told, and left behind."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from millrace.aggregates import LIVE, AggregateKey, Dimension, Scope, Version
from millrace.aws.aggregates import row_key, stored_bounds
from millrace.aws.audit import DynamoAudit
from millrace.aws.ledger_items import to_attributes
from millrace.aws.objects import S3Objects
from millrace.aws.replays import DynamoReplays
from millrace.definitions import version_of
from millrace.keys import definitions_key, replay_enriched_key
from millrace.raw_lines import pack
from millrace.replay.progress import ProcessedObject
from millrace.replay.record import ReplayState
from millrace.replay.selection import Selection
from millrace.windows import WindowWidth, window_of
from millrace_cli.main import app
from millrace_testing import tables
from millrace_testing.builders import ARRIVAL, enriched_event
from millrace_testing.metrics import metric
from millrace_testing.replays import (
    REPLAY_ID,
    REPLAY_VERSION,
    audit_entry,
    replay_plan,
    replay_record,
)

TOML = metric("n")
DEFS = version_of(TOML)
HOUR = window_of(ARRIVAL, WindowWidth.HOUR)
REGION, QUEUE = "us-east-1", "https://sqs/replay"
SCHEMAS = {
    "commits": tables.COMMITS, "event_index": tables.EVENT_INDEX, "aggregates": tables.AGGREGATES,
    "markers": tables.MARKERS, "replays": tables.REPLAYS, "audit": tables.AUDIT,
}  # fmt: skip
WHY = ("--reason", "a mended definition")


class Deployment:
    """A deployment on moto with one completed replay, and the command on it."""

    def __init__(self, folder: Path) -> None:
        self.client = boto3.client("dynamodb", region_name=REGION)
        for name, schema in SCHEMAS.items():
            tables.create_table(self.client, f"p-{name}", schema)
        boto3.client("s3", region_name=REGION).create_bucket(Bucket="p-data")
        self.objects = S3Objects(boto3.client("s3", region_name=REGION), "p-data")
        self.objects.put_new(definitions_key(DEFS), TOML)
        self.replays = DynamoReplays(self.client, "p-replays")
        plan = replay_plan(defs_version=DEFS, selection=Selection(HOUR.start, HOUR.end))
        self.replays.save_plan(plan)
        self.start(REPLAY_ID)
        self.outputs = folder / "outputs.json"
        self.outputs.write_text(json.dumps(self._outputs()))

    def _outputs(self) -> dict[str, Any]:
        names = (*SCHEMAS, "gate", "manifests", "assignments", "experiments")
        queues = {"replay": QUEUE, "replay_work": "https://sqs/work"}
        return {
            "region": REGION, "name_prefix": "p", "stream_arn": "arn", "stream_incarnation": "i",
            "data_bucket": "p-data", "tables": {name: f"p-{name}" for name in names},
            "queue_urls": queues, "dlq_urls": {}, "metrics_key": "config/metrics.toml",
        }  # fmt: skip

    def start(self, replay_id: str, **fields: Any) -> None:
        record = replay_record(
            replay_id, defs_version=DEFS, queue_url=QUEUE,
            **({"state": ReplayState.COMPLETED} | fields),
        )  # fmt: skip
        self.replays.start(record, audit_entry())

    def put(self, value: int, event_type: str, version: Version = LIVE) -> None:
        scope = Scope.of(Dimension.TYPE, event_type)
        start, end = stored_bounds(HOUR)
        fields = {
            "metric_name": "n", "window_start": start, "window_end": end, "version": version,
            "value": value, "event_count": value, "input_hash": value, "sample_event_ids": [],
            "defs_versions": {"d"}, "updated_at": "2025-12-28T09:30:00.000Z",
        }  # fmt: skip
        replayed = {} if version == LIVE else {"replay_version": version}
        item = row_key(AggregateKey(scope, HOUR, "n", version)) | to_attributes(fields | replayed)
        self.client.put_item(TableName="p-aggregates", Item=item)

    def live(self) -> dict[str, int]:
        """Return live's values by type."""
        items = self.client.scan(TableName="p-aggregates", ConsistentRead=True)["Items"]
        return {
            item["PK"]["S"].removeprefix("TYPE#"): int(item["value"]["N"])
            for item in items
            if item["version"]["S"] == LIVE
        }

    def audit(self) -> list[tuple[str, str, dict[str, int]]]:
        now = datetime.now(UTC)
        log = DynamoAudit(self.client, "p-audit")
        entries = log.entries(now - timedelta(hours=1), now + timedelta(hours=1))
        return [(each.operation.name, each.phase.value, dict(each.counts)) for each in entries]

    def millrace(self, *arguments: str, exit_code: int = 0) -> Result:
        command = ["replay", *arguments, "--outputs", str(self.outputs)]
        result = CliRunner().invoke(app, command, terminal_width=200)
        assert result.exit_code == exit_code, result.output
        return result

    def promote(self, *arguments: str, exit_code: int = 0) -> Result:
        return self.millrace("promote", REPLAY_ID, *arguments, exit_code=exit_code)


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Deployment]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("MILLRACE_ENV", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    with mock_aws():
        made = Deployment(tmp_path)
        for event_type, live, replayed in (("view", 5, 3), ("buy", 2, 2)):
            made.put(live, event_type)
            made.put(replayed, event_type, REPLAY_VERSION)
        yield made


def test_rows_are_shown_and_nothing_changes(deployment: Deployment) -> None:
    """A dry run needs no reason; it says what live loses, and leaves no trace."""
    shown = deployment.promote("--dry-run").stdout
    assert "live loses 2 events" in shown
    assert "1 planned, 1 skipped" in shown
    (first, second) = json.loads(deployment.promote("--dry-run", "--json").stdout)
    by_scope = {each["scope"]: each for each in (first, second)}
    assert by_scope["TYPE#view"]["outcome"] == "planned"
    assert by_scope["TYPE#buy"]["why"] == "live says the same"
    assert (deployment.live(), deployment.audit()) == ({"view": 5, "buy": 2}, [])


def test_nobody_is_taken_to_have_agreed(deployment: Deployment) -> None:
    """Without a reason, or without --yes where nobody can be asked, nothing is done."""
    assert "--reason" in deployment.promote("--yes", exit_code=2).output
    assert "say --yes" in deployment.promote(*WHY, exit_code=2).output
    assert (deployment.live(), deployment.audit()) == ({"view": 5, "buy": 2}, [])


def test_live_takes_the_values_and_gives_them_back(deployment: Deployment) -> None:
    """Both are in the audit, with how many rows."""
    deployment.promote("--yes", *WHY)
    assert deployment.live() == {"view": 3, "buy": 2}
    assert "rows: 2 skipped" in deployment.promote("--yes", *WHY).stdout
    deployment.promote("--undo", "--yes", *WHY)
    assert deployment.live() == {"view": 5, "buy": 2}
    assert "rows: none" in deployment.promote("--undo", "--yes", *WHY).stdout
    assert deployment.audit() == [
        ("replay.promote", "begun", {}),
        ("replay.promote", "done", {"done": 1, "skipped": 1}),
        ("replay.undo-promote", "begun", {}),
        ("replay.undo-promote", "done", {"done": 1}),
    ]


def test_a_refused_row_ends_with_an_error(deployment: Deployment) -> None:
    """It says which, and what to do; live is as it was."""
    deployment.promote("--yes", *WHY)
    deployment.put(4, "view")
    refused = deployment.promote("--undo", "--yes", *WHY, exit_code=1)
    assert "3 events then, 4 now" in refused.stdout
    said = " ".join(refused.stderr.split())
    assert "1 of 1 rows were refused, and are as they were" in said
    assert f"millrace replay diff {REPLAY_ID}" in said
    assert deployment.live()["view"] == 4


def test_what_cannot_be_promoted_is_named(deployment: Deployment) -> None:
    """A dry run, and a replay that is not there."""
    deployment.start("r-dry", dry_run=True)
    command = ("promote", "r-dry", "--yes", *WHY)
    assert "dry run" in deployment.millrace(*command, exit_code=1).stderr
    missing = deployment.millrace("promote", "r-9", "--dry-run", exit_code=2)
    assert "there is no replay r-9" in " ".join(missing.stderr.split())


def test_a_dry_run_says_what_it_would_have_written(deployment: Deployment) -> None:
    """As a table and as JSON; a real replay has no such report."""
    deployment.start("r-dry", dry_run=True)
    key = replay_enriched_key("r-dry", "a")
    events = [enriched_event(n, defs_version=DEFS, event_time=ARRIVAL) for n in range(3)]
    deployment.objects.put_new(key, pack([each.to_line() for each in events]).body)
    made = ProcessedObject("a", key, frozenset(), counted=False)
    deployment.replays.list_object("r-dry", made)
    shown = deployment.millrace("report", "r-dry").stdout
    assert "1 rows would have been written; none was" in shown
    (row,) = json.loads(deployment.millrace("report", "r-dry", "--json").stdout)
    assert (row["scope"], row["value"], row["event_count"]) == ("TYPE#view", "3", 3)
    status = deployment.millrace("status", "r-dry").stdout
    assert "millrace replay report r-dry" in status
    assert "diff compares it" in deployment.millrace("report", REPLAY_ID, exit_code=1).stderr


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel"])
def test_a_move_says_why(deployment: Deployment, verb: str) -> None:
    """Outside the local engine; what cannot be done then is in the audit as failed."""
    assert "--reason" in deployment.millrace(verb, REPLAY_ID, exit_code=2).output
    deployment.millrace(verb, REPLAY_ID, *WHY, exit_code=1)
    assert [each[:2] for each in deployment.audit()] == [
        (f"replay.{verb}", "begun"), (f"replay.{verb}", "failed"),
    ]  # fmt: skip
