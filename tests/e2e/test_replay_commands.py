"""`millrace replay` on the deployed pipeline: plan, apply, compare; logic and inputs told apart."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from pipeline import Pipeline

from millrace_testing.wait import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

SOURCE = "replay-commands"
DAY = date(2014, 3, 1)
DEADLINE_S = 120
METRICS = """
[[metric]]
name = "event_count"
kind = "count"
dimensions = ["source"]
windows = ["hour", "day"]
event_types = ["replay-view"]
"""


def event(number: int, hour: int, event_type: str = "replay-view") -> dict[str, Any]:
    return {
        "event_type": event_type,
        "entity_id": f"replayed_{number % 3}",
        "event_time": f"{DAY}T{hour:02d}:{number % 60:02d}:00Z",
        "event_id": f"replayed-{number}",
        "source": SOURCE,
    }


def write(path: Path, events: list[dict[str, Any]]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in events))
    return path


@pytest.fixture(scope="module")
def stored(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A day of 60 views in three hours and 12 clicks, in the pipeline."""
    events = [event(n, 10 + n % 3) for n in range(60)]
    events += [event(100 + n, 10, "replay-click") for n in range(12)]
    file = write(tmp_path_factory.mktemp("replay") / "events.ndjson", events)
    before = pipeline.put(file)
    pipeline.settled(before["received"] + 72)
    return pipeline


def planned(pipeline: Pipeline, *arguments: str) -> dict[str, Any]:
    window = ("--from", f"{DAY}T00:00:00Z", "--to", "2014-03-02T00:00:00Z")
    printed = pipeline.millrace("replay", "plan", "--json", *window, *arguments)
    plan: dict[str, Any] = json.loads(printed)
    return plan


def applied(pipeline: Pipeline, plan: dict[str, Any], *arguments: str) -> dict[str, Any]:
    """Apply a plan and wait until every event is counted."""
    printed = pipeline.millrace("replay", "apply", plan["plan_id"], "--json", *arguments)
    replay_id = json.loads(printed)["replay_id"]

    def completed() -> dict[str, Any] | None:
        status = json.loads(pipeline.millrace("replay", "status", replay_id, "--json"))
        return status if status["state"] == "completed" else None

    return wait_until(completed, DEADLINE_S, 0.5)


def differences(pipeline: Pipeline, replay: dict[str, Any], exit_code: int) -> list[dict[str, Any]]:
    printed = pipeline.millrace(
        "replay", "diff", replay["replay_id"], "--all", "--json", exit_codes=(exit_code,)
    )
    rows: list[dict[str, Any]] = json.loads(printed)
    return rows


def of_source(rows: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (row["metric_name"], row["window_start"]): row
        for row in rows
        if row["scope"] == f"SOURCE#{SOURCE}" and row["window"] == "hour"
    }


def test_a_replay_of_a_source_equals_live(stored):
    """Every whole row has live's value and inputs; rows of other scopes are marked partial."""
    plan = planned(stored, "--source", SOURCE)
    assert (plan["events"], plan["messages"], plan["duplicates"]) == (72, 72, 0)
    replay = applied(stored, plan)
    assert (replay["sent"], replay["counted"], replay["skipped"]) == (72, 72, 0)
    assert [each["action"] for each in replay["audit"]] == ["apply", "complete"]
    rows = differences(stored, replay, 0)
    hours = of_source(rows)
    assert {row["verdict"] for row in hours.values()} == {"same"}
    first = hours["event_count", f"{DAY}T10:00:00Z"]
    assert (first["live"], first["replayed"], first["replayed_events"]) == ("32", "32", 32)
    assert {row["verdict"] for row in rows if row["scope"].startswith("TYPE#")} == {"partial"}


def test_applying_a_plan_again_starts_nothing(stored):
    """A second apply is the same replay; --again is a version of its own with equal values."""
    plan = planned(stored, "--entity", "replayed_1")
    first, same = applied(stored, plan), applied(stored, plan)
    again = applied(stored, plan, "--again")
    assert same["replay_id"] == first["replay_id"] != again["replay_id"]
    assert again["version"] != first["version"]
    assert again["counted"] == first["counted"] == plan["events"]


def test_changed_definitions_are_told_as_logic_and_late_events_as_inputs(stored, tmp_path):
    """The one with equal inputs, the other with the ids of the events that came later."""
    metrics = tmp_path / "metrics.toml"
    metrics.write_text(METRICS)
    replay = applied(stored, planned(stored, "--source", SOURCE, "--metrics", str(metrics)))
    hours = of_source(differences(stored, replay, 3))
    first = hours["event_count", f"{DAY}T10:00:00Z"]
    assert (first["verdict"], first["live"], first["replayed"]) == ("logic", "32", "20")
    sides = first["live_defs_version"], first["replayed_defs_version"]
    assert len(set(sides)) == 2
    table = stored.millrace("replay", "diff", replay["replay_id"], exit_codes=(3,))
    assert "logic: live counted by definitions {}, the replay by {}".format(*sides) in table

    replay = applied(stored, planned(stored, "--source", SOURCE))
    before = stored.put(write(tmp_path / "late.ndjson", [event(200, 11), event(201, 11)]))
    stored.settled(before["received"] + 2)
    hours = of_source(differences(stored, replay, 3))
    late = hours["event_count", f"{DAY}T11:00:00Z"]
    assert (late["verdict"], late["more_events_in_live"]) == ("inputs", 2)
    assert late["only_in_live"] == ["replayed-200", "replayed-201"]
    assert hours["event_count", f"{DAY}T10:00:00Z"]["verdict"] == "same"


def test_a_dry_run_counts_nothing(stored):
    """No row of its version exists; the report says what the same plan then writes."""
    plan = planned(stored, "--entity", "replayed_2")
    replay = applied(stored, plan, "--dry-run")
    assert (replay["enriched"], replay["counted"]) == (replay["messages"], 0)
    assert differences(stored, replay, 0) == []
    report = json.loads(stored.millrace("replay", "report", replay["replay_id"], "--json"))
    wet = applied(stored, plan)
    written = {
        (row["scope"], row["metric_name"], row["window_start"], row["window"]): row["replayed"]
        for row in differences(stored, wet, 0)
        if row["replayed"] is not None
    }
    assert written == {
        (row["scope"], row["metric_name"], row["window_start"], row["window"]): row["value"]
        for row in report
    }
    assert len(written) > 0


def test_nothing_runs_unless_somebody_says_so(stored):
    """`replay run` asks: where nobody answers the plan is kept, and not applied."""
    before = json.loads(stored.millrace("replay", "list", "--json"))
    window = ("--from", f"{DAY}T00:00:00Z", "--to", "2014-03-02T00:00:00Z")
    stored.millrace("replay", "run", "--source", SOURCE, *window, exit_codes=(1,))
    assert json.loads(stored.millrace("replay", "list", "--json")) == before


def test_what_cannot_be_meant_is_refused(stored):
    """A bound without offset, a selection beyond its limit, an unknown plan: nothing is stored."""
    local = ("--from", "2014-03-01T00:00:00", "--to", "2014-03-02T00:00:00Z")
    stored.millrace("replay", "plan", *local, exit_codes=(2,))
    window = ("--from", f"{DAY}T00:00:00Z", "--to", "2014-03-02T00:00:00Z")
    stored.millrace("replay", "plan", *window, "--limit", "10", exit_codes=(1,))
    stored.millrace("replay", "apply", "no-such-plan", exit_codes=(2,))
