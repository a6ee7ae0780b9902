"""Fixtures of the end-to-end tests."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pipeline import NO_DATA, RINGS_S, STAGES, WIKITICKER, WIKITICKER_MAP, Pipeline

from millrace_local.testing import Deployed
from millrace_testing.wait import wait_until


@pytest.fixture(scope="session")
def pipeline(deployed: Deployed) -> Pipeline:
    """The deployment of this session."""
    return Pipeline(deployed)


@pytest.fixture(scope="session")
def edits(pipeline: Pipeline) -> tuple[dict[str, Any], dict[str, Any]]:
    """Send the Wikipedia sample once; return the counts before and after."""
    if not WIKITICKER.exists():
        pytest.skip(NO_DATA)
    before = pipeline.put(WIKITICKER, *WIKITICKER_MAP)
    after = pipeline.settled(before["received"] + 39_244)
    return before, after["counts"]


@pytest.fixture
def stages(pipeline: Pipeline) -> dict[str, dict[str, str]]:
    """Each function's own environment, but for the queues: nothing else listens on these."""
    client, sqs = pipeline.deployed.client("lambda"), pipeline.deployed.client("sqs")
    tag = uuid4().hex[:8]
    found = {
        service: client.get_function_configuration(
            FunctionName=pipeline.outputs["functions"][service]
        )["Environment"]["Variables"]
        for service in STAGES
    }
    for sender, variable in (
        ("ingest", "ENRICH_QUEUE_URL"),
        ("enrich", "AGGREGATE_QUEUE_URL"),
        ("enrich", "ARCHIVE_QUEUE_URL"),
    ):
        name = f"handler-time-{tag}-{variable.split('_')[0].lower()}"
        found[sender][variable] = sqs.create_queue(QueueName=name)["QueueUrl"]
    return found


@pytest.fixture
def through_handlers(pipeline: Pipeline) -> Callable[[Mapping[str, Any]], list[dict[str, Any]]]:
    """Run the real handlers in a process of their own; support/handler_time.py says on what."""
    program = Path(__file__).parent / "support" / "handler_time.py"

    def run(work: Mapping[str, Any]) -> list[dict[str, Any]]:
        ran = subprocess.run(
            [sys.executable, str(program)],
            input=json.dumps(work),
            env={"PATH": "/usr/bin:/bin", **pipeline.deployed.engine.environment()},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr[-2000:]
        taken: list[dict[str, Any]] = json.loads(ran.stdout)
        return taken

    return run


@pytest.fixture
def download(pipeline: Pipeline, tmp_path: Path) -> Callable[[str], Path]:
    """Copy all objects under a prefix of the data bucket to a folder, keys as paths."""

    def copy(prefix: str) -> Path:
        s3 = pipeline.deployed.client("s3")
        bucket = pipeline.outputs["data_bucket"]
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for found in page.get("Contents", []):
                target = tmp_path / found["Key"]
                target.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(bucket, found["Key"], str(target))
        return tmp_path

    return copy


@pytest.fixture
def cloudwatch(pipeline) -> Any:
    return pipeline.deployed.client("cloudwatch")


@pytest.fixture
def alarms(pipeline, cloudwatch) -> dict[str, dict[str, Any]]:
    """Every alarm as CloudWatch describes it, by what it watches."""
    prefix = f"{pipeline.outputs['name_prefix']}-"
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
    found = {each["AlarmName"]: each for page in pages for each in page["MetricAlarms"]}
    return {key: found[name] for key, name in pipeline.outputs["alarms"].items()}


@pytest.fixture
def rings(cloudwatch) -> Callable[[str], None]:
    """Wait until an alarm rings."""

    def wait(name: str) -> None:
        def state() -> bool:
            (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
            found: bool = alarm["StateValue"] == "ALARM"
            return found

        wait_until(state, RINGS_S, 0.5)

    return wait


@pytest.fixture
def invoke(pipeline) -> Callable[[str, Mapping[str, Any]], dict[str, Any]]:
    """Call a function by its service's name."""
    client = pipeline.deployed.client("lambda")

    def call(service: str, event: Mapping[str, Any]) -> dict[str, Any]:
        name = pipeline.outputs["functions"][service]
        answer: dict[str, Any] = client.invoke(FunctionName=name, Payload=json.dumps(event))
        return answer

    return call
