"""`millrace replay promote` on the deployed pipeline: live takes a replay's values, and back."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from pipeline import Pipeline

from millrace_testing.wait import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

SOURCE, DAY = "promoted", "2014-05-01"
DEADLINE_S = 120
METRICS = """
[[metric]]
name = "event_count"
kind = "count"
dimensions = ["source"]
windows = ["day"]
event_types = ["promoted-view"]
"""


def event(number: int, event_type: str) -> dict[str, Any]:
    return {
        "event_type": event_type, "entity_id": f"user_{number % 5}", "source": SOURCE,
        "event_time": f"{DAY}T10:{number % 60:02d}:00Z", "event_id": f"promoted-{number}",
    }  # fmt: skip


def put(pipeline: Pipeline, file: Path, events: list[dict[str, Any]]) -> None:
    file.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in events))
    before = pipeline.put(file)
    pipeline.settled(before["received"] + len(events))


def replayed(pipeline: Pipeline, *arguments: str) -> str:
    """Replay the source's day; return the replay's id once every event is counted."""
    window = ("--from", f"{DAY}T00:00:00Z", "--to", "2014-05-02T00:00:00Z", "--source", SOURCE)
    plan = json.loads(pipeline.millrace("replay", "plan", "--json", *window, *arguments))
    started = json.loads(pipeline.millrace("replay", "apply", plan["plan_id"], "--json"))
    replay_id: str = started["replay_id"]

    def completed() -> bool:
        status = json.loads(pipeline.millrace("replay", "status", replay_id, "--json"))
        return bool(status["state"] == "completed")

    wait_until(completed, DEADLINE_S, 0.5)
    return replay_id


def of_day(rows: list[dict[str, Any]]) -> dict[str, Any]:
    (row,) = (
        row for row in rows
        if (row["scope"], row["metric_name"], row["window"])
        == (f"SOURCE#{SOURCE}", "event_count", "day")
    )  # fmt: skip
    return row


def test_live_takes_a_replay_and_gives_it_back(pipeline, tmp_path):
    """Shown first, then done; diff says same; live counts on, and only then undoing is refused."""
    events = [event(n, "promoted-view") for n in range(20)]
    events += [event(100 + n, "promoted-click") for n in range(10)]
    put(pipeline, tmp_path / "events.ndjson", events)
    (tmp_path / "metrics.toml").write_text(METRICS)
    replay_id = replayed(pipeline, "--metrics", str(tmp_path / "metrics.toml"))

    def promote(*arguments: str, exit_code: int = 0) -> dict[str, Any]:
        command = ("replay", "promote", replay_id, "--json", *arguments)
        return of_day(json.loads(pipeline.millrace(*command, exit_codes=(exit_code,))))

    def diff(exit_code: int) -> dict[str, Any]:
        command = ("replay", "diff", replay_id, "--all", "--json")
        return of_day(json.loads(pipeline.millrace(*command, exit_codes=(exit_code,))))

    planned = promote("--dry-run")
    assert (planned["outcome"], planned["before"], planned["after"]) == ("planned", "30", "20")
    assert diff(3)["live"] == "30"
    pipeline.millrace("replay", "promote", replay_id, exit_codes=(2,))
    assert promote("--yes")["outcome"] == "done"
    row = diff(0)
    assert (row["verdict"], row["live"]) == ("same", "20")
    assert promote("--yes", "--undo")["outcome"] == "done"
    assert diff(3)["live"] == "30"
    promote("--yes")
    put(pipeline, tmp_path / "late.ndjson", [event(200, "promoted-view")])
    assert diff(3)["live"] == "21"
    refused = promote("--yes", "--undo", exit_code=1)
    assert (refused["outcome"], diff(3)["live"]) == ("refused", "21")
    status = json.loads(pipeline.millrace("replay", "status", replay_id, "--json"))
    actions = [each["action"] for each in status["audit"]]
    assert actions == ["apply", "complete", "promote", "undo-promote", "promote", "undo-promote"]
