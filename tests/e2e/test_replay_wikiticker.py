"""Replays of real edits on the deployed pipeline: a user's day, an hour, and killed workers."""

import gzip
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import orjson
import pytest
from pipeline import NO_DATA, WIKITICKER, Pipeline
from replay_worker import worker_on

from millrace.aggregates import LIVE, Dimension, Scope, Version
from millrace.aws.aggregates import AggregatesReader
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.aws.objects import S3Objects
from millrace.aws.queue import SqsBatches
from millrace.aws.replays import DynamoReplays
from millrace.raw_lines import unpack
from millrace.replay.operations import Order
from millrace.replay.planned import PlannedEvent
from millrace.replay.progress import Progress
from millrace.replay.record import ReplayState
from millrace.windows import WindowWidth
from millrace_build import Workspace
from millrace_testing.crash.wire import Crash, Fault, FaultKind, Wire
from millrace_testing.wait import wait_until

pytestmark = [
    pytest.mark.engine,
    pytest.mark.batch,
    pytest.mark.usefixtures("edits"),
    pytest.mark.skipif(not WIKITICKER.exists(), reason=NO_DATA),
]

USER, DAY = "Antigng-bot", "2015-09-12"
WHOLE_DAY = ("--from", f"{DAY}T00:00:00Z", "--to", "2015-09-13T00:00:00Z")
HOUR = ("--from", f"{DAY}T12:00:00Z", "--to", f"{DAY}T13:00:00Z")
NOON = datetime(2015, 9, 12, 12, tzinfo=UTC)
DEADLINE_S = 120
SEED, KILLS = 20_150_912, 20
CALLS_A_LIFE = 24  # at most: a worker that lives longer would be done before the last kill


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """The file, row by row."""
    with gzip.open(WIKITICKER) as lines:
        return [orjson.loads(line) for line in lines]


@pytest.fixture
def untouched(pipeline: Pipeline) -> Iterator[None]:
    """Every live row and every object of the archive is afterwards what it was, byte for byte."""
    before = live_rows(pipeline), archived(pipeline)
    yield
    wait_until(lambda: all_delivered(pipeline), DEADLINE_S, 0.5)
    assert live_rows(pipeline) == before[0]
    assert archived(pipeline) == before[1]


def live_rows(pipeline: Pipeline) -> dict[tuple[str, str], Any]:
    """Return the items under `live` as the table holds them."""
    pages = (
        pipeline.deployed.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=pipeline.outputs["tables"]["aggregates"], ConsistentRead=True)
    )
    items = (item for page in pages for item in page["Items"])
    return {
        (item["PK"]["S"], item["SK"]["S"]): item
        for item in items
        if "#VER#live#" in item["SK"]["S"]
    }


def archived(pipeline: Pipeline) -> set[tuple[str, str]]:
    """Return key and hash of each object of the archive."""
    pages = (
        pipeline.deployed.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=pipeline.outputs["data_bucket"], Prefix="archive/")
    )
    return {(each["Key"], each["ETag"]) for page in pages for each in page.get("Contents", ())}


def all_delivered(pipeline: Pipeline) -> bool:
    queues = pipeline.status()["queues"].values()
    return not any(queue["visible"] + queue["in_flight"] for queue in queues)


def planned(pipeline: Pipeline, *options: str) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(pipeline.millrace("replay", "plan", "--json", *options))
    return plan


def day_of_user(pipeline: Pipeline, version: str) -> dict[str, Any]:
    """Return the user's day as the table holds it."""
    key = {"PK": f"ENTITY#{USER}", "SK": f"DAY#{DAY}#VER#{version}#daily_event_count"}
    answer = pipeline.deployed.client("dynamodb").get_item(
        TableName=pipeline.outputs["tables"]["aggregates"], Key=to_attributes(key)
    )
    return from_attributes(answer["Item"])


def send_again(pipeline: Pipeline, plan: dict[str, Any], replay: dict[str, Any], seed: int) -> None:
    """Put every message of a replay on its queue once more, in another order."""
    bucket = pipeline.outputs["data_bucket"]
    objects = S3Objects(pipeline.deployed.client("s3"), bucket)
    listed = DynamoReplays(
        pipeline.deployed.client("dynamodb"), pipeline.outputs["tables"]["replays"]
    ).plan(plan["plan_id"])
    lines = [line for chunk in listed.chunks for line in unpack(objects.get(chunk.key))]
    bodies = [
        PlannedEvent.from_line(line)
        .message(bucket, replay["replay_id"], replay["version"])
        .to_json()
        for line in lines
    ]
    Random(seed).shuffle(bodies)
    queue = SqsBatches(pipeline.deployed.client("sqs"), pipeline.outputs["queue_urls"]["replay"])
    for start in range(0, len(bodies), 10):
        queue.send_all(bodies[start : start + 10])


@pytest.mark.usefixtures("untouched")
def test_a_users_day_is_counted_alike_however_often_it_is_replayed(pipeline, rows):
    """Applied three times, each message delivered twice, shuffled: each time the file's count."""
    count = sum(row["user"] == USER for row in rows)
    plan = planned(pipeline, "--entity", USER, *WHOLE_DAY)
    assert plan["events"] == count
    versions = []
    for seed in range(3):
        started = pipeline.millrace("replay", "apply", plan["plan_id"], "--again", "--json")
        replay = json.loads(started)
        send_again(pipeline, plan, replay, seed)
        pipeline.millrace("replay", "wait", replay["replay_id"])
        versions.append(replay["version"])
    wait_until(lambda: all_delivered(pipeline), DEADLINE_S, 0.5)
    assert len(set(versions)) == 3
    live = day_of_user(pipeline, "live")
    for version in versions:
        item = day_of_user(pipeline, version)
        assert item.pop("replay_version") == item.pop("version") == version
        assert 1 <= len(item.pop("sample_event_ids")) <= 5  # any of the day's
        assert item == {
            "PK": f"ENTITY#{USER}",
            "SK": f"DAY#{DAY}#VER#{version}#daily_event_count",
            "metric_name": "daily_event_count",
            "value": count,
            "window_start": f"{DAY}T00:00:00Z",
            "window_end": f"{DAY}T23:59:59Z",
            "updated_at": item["updated_at"],
            **{name: live[name] for name in ("event_count", "input_hash", "defs_versions")},
        }
        assert (live["value"], live["event_count"]) == (count, count)


def test_an_hour_replayed_by_the_script_equals_live(pipeline, rows):
    """`scripts/replay` plans, applies, waits and compares: every whole window has live's inputs."""
    ran = subprocess.run(
        [Workspace.here().root / "scripts/replay", *HOUR, "--yes", "--all", "--json"],
        env={"MILLRACE_ENGINE": pipeline.deployed.engine.name, "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert said["replay"]["state"] == "completed"
    count = sum(row["time"].startswith(f"{DAY}T12") for row in rows)
    hours = {each["scope"]: each for each in said["diff"] if each["window"] == "hour"}
    assert {each["verdict"] for each in hours.values()} == {"same"}
    assert {each["verdict"] for each in said["diff"] if each["window"] == "day"} == {"partial"}
    for scope in ("TYPE#edit", "SOURCE#wikipedia"):
        each = hours[scope]
        assert (each["live"], each["replayed"]) == (str(count), str(count))
        assert (each["live_events"], each["replayed_events"]) == (count, count)


def hour_rows(pipeline: Pipeline, version: str) -> list[tuple[Any, ...]]:
    """Return value, count and input hash of the hour's rows of all edits."""
    reader = AggregatesReader(
        pipeline.deployed.client("dynamodb"), pipeline.outputs["tables"]["aggregates"]
    )
    found = [
        row
        for scope in (Scope.of(Dimension.TYPE, "edit"), Scope.of(Dimension.SOURCE, "wikipedia"))
        for row in reader.query(
            scope,
            WindowWidth.HOUR,
            start=NOON,
            end=NOON + timedelta(hours=1),
            version=Version(version),
        )
    ]
    return [(row.key.scope, row.value, row.event_count, row.input_hash) for row in found]


def test_a_worker_killed_twenty_times_counts_each_event_once(pipeline, rows, figures):
    """Killed at random calls, before or after they take effect: the hour's rows are live's."""
    plan = planned(pipeline, *HOUR)
    # A queue that nothing listens on: the deployed worker must not take over from the dying ones.
    work_url = pipeline.deployed.client("sqs").create_queue(QueueName="e2e-killed")["QueueUrl"]
    last = worker_on(pipeline, work_url)
    replay = last.operations.apply(plan["plan_id"], Order("e2e", "to be killed", rate=40))
    draw, calls = Random(SEED), 0
    for _ in range(KILLS):
        wire = Wire()
        kind = draw.choice([FaultKind.CRASH_BEFORE, FaultKind.CRASH_AFTER])
        wire.arm(Fault(draw.randrange(CALLS_A_LIFE), kind))
        with pytest.raises(Crash):
            worker_on(pipeline, work_url, wire).turn(replay.replay_id, 60)
        calls += len(wire.calls)
    assert last.ledger.replay(replay.replay_id).state is ReplayState.RUNNING
    assert last.turn(replay.replay_id, 60).state is ReplayState.SENT
    wait_until(lambda: last.operations.status(replay.replay_id).settled, DEADLINE_S, 0.5)
    assert last.turn(replay.replay_id, 60).state is ReplayState.COMPLETED
    count = sum(row["time"].startswith(f"{DAY}T12") for row in rows)
    assert last.operations.status(replay.replay_id).progress == Progress(count, count, 0)
    assert hour_rows(pipeline, replay.version) == hour_rows(pipeline, LIVE)
    figures(f"replay's worker: killed {KILLS} times in {calls} calls")
