"""Experiments from a file to the aggregates of their variants, in a deployed pipeline."""

import json
from uuid import uuid4

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

DAY = "2025-11-03"
ASSIGNED_AT = f"{DAY}T09:00:00Z"


def event(run, user, event_type, minute, **payload):
    return {
        "event_id": f"{run}-{user}-{event_type}-{minute}",
        "event_type": event_type,
        "entity_id": f"{user}#{run}",
        "event_time": f"{DAY}T09:{minute:02d}:00Z" if minute >= 0 else f"{DAY}T08:59:30Z",
        "source": "e2e",
        "payload": payload,
    }


@pytest.fixture(scope="module")
def run(pipeline, tmp_path_factory):
    """Two experiments and three users, loaded twice; then the users' events, each way."""
    run = uuid4().hex
    folder = tmp_path_factory.mktemp("experiments")
    experiments = [{"experiment_id": f"price/{run}", "owner": "growth", "share": 0.5}]
    assignments = ["user,experiment,variant,since"]
    for user, experiment, variant in (
        ("ann", "price", "A"), ("ann", "colour", "red"), ("bob", "price", "B"),
    ):  # fmt: skip
        assignments.append(f"{user}#{run},{experiment}/{run},{variant},{ASSIGNED_AT}")
    events = [
        event(run, "ann", "exposure", -1),
        event(run, "ann", "exposure", 1),
        event(run, "ann", "conversion", 2, value=12.5),
        event(run, "bob", "exposure", 3),
        event(run, "bob", "exposure", 4),
        event(run, "cid", "exposure", 5),
    ]
    for name, rows in (("experiments", experiments), ("events", events)):
        (folder / f"{name}.ndjson").write_text("\n".join(map(json.dumps, rows)) + "\n")
    (folder / "assignments.csv").write_text("\n".join(assignments) + "\n")
    mapping = "entity_id=user experiment_id=experiment variant=variant assigned_at=since"
    for new in (True, False):
        loads = (
            ("assignments", str(folder / "assignments.csv"), "--map", mapping),
            ("experiments", str(folder / "experiments.ndjson")),
        )
        for table, *arguments in loads:
            result = json.loads(pipeline.millrace(table, "load", *arguments, "--json"))
            assert result["new" if new else "unchanged"] == result["rows"] > 0
    before = pipeline.put(folder / "events.ndjson")
    pipeline.settled(before["received"] + len(events))
    return run


def rows_of(pipeline, run):
    """Return the archived rows of this run by event id."""
    hours = (pipeline.millrace("archive", "cat", f"{DAY}T{hour}") for hour in ("08", "09"))
    rows = (json.loads(line) for text in hours for line in text.splitlines() if run in line)
    return {row["event_id"].removeprefix(f"{run}-"): row for row in rows}


def test_rows_carry_every_experiment_of_their_entity(pipeline, run):
    """Variant, time and metadata as loaded; an event before its assignment is flagged."""
    rows = rows_of(pipeline, run)
    assert len(rows) == 6
    early, later = rows["ann-exposure--1"], rows["ann-exposure-1"]
    assert later["assignments"] == [
        {
            "experiment_id": f"{name}/{run}",
            "variant": variant,
            "assigned_at": f"{DAY}T09:00:00.000Z",
            "seconds_since_assignment": 60.0,
            "before_assignment": False,
        }
        for name, variant in (("colour", "red"), ("price", "A"))
    ]
    assert later["experiments"] == {f"price/{run}": {"owner": "growth", "share": 0.5}}
    assert [each["seconds_since_assignment"] for each in early["assignments"]] == [-30.0, -30.0]
    assert all(each["before_assignment"] for each in early["assignments"])
    assert [each["variant"] for each in rows["bob-exposure-3"]["assignments"]] == ["B"]
    assert (rows["cid-exposure-5"]["assignments"], rows["cid-exposure-5"]["experiments"]) == (
        [],
        {},
    )


@pytest.mark.parametrize(
    ("arm", "metric", "values"),
    [
        (("price", "A"), ("exposures", "day"), [2]),
        (("price", "A"), ("exposures", "hour"), [1, 1]),
        (("price", "A"), ("conversions", "day"), [1]),
        (("price", "A"), ("value_sum", "day"), [12.5]),
        (("price", "A"), ("unique_users", "day"), [1]),
        (("price", "B"), ("exposures", "day"), [2]),
        (("price", "B"), ("unique_users", "day"), [1]),
        (("colour", "red"), ("exposures", "day"), [2]),
    ],
)
def test_variants_are_counted(pipeline, run, arm, metric, values):
    """Exposures, conversions, users and sums of each variant are what the events add up to."""
    (experiment, variant), (name, window) = arm, metric
    key = f"EXPERIMENT#{experiment}/{run}#VARIANT#{variant}"
    options = ("--metric", name, "--window", window, "--json")
    rows = json.loads(pipeline.millrace("aggregates", "--scope", key, *options))
    assert [row["value"] for row in rows] == values
