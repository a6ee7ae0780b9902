"""What docs/deploy.md says that events cost is what the handlers were seen to ask of AWS."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pipeline import Pipeline

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

ROOT = Path(__file__).parents[2]
EVENTS, BATCH = 1000, 500
SERVICES = ("ingest", "enrich", "aggregate", "archive")
TOLERANCE = 0.1


def counted(pipeline: Pipeline) -> tuple[dict[str, Any], int]:
    """Take the events through the handlers, with the functions' settings and no queue of theirs.

    Returns: what they asked of AWS, and how many bytes they logged.
    """
    sqs = pipeline.deployed.client("sqs")
    queue = sqs.create_queue(QueueName=f"cost-{uuid4().hex}")["QueueUrl"]
    settings = settings_of(pipeline)
    settings |= {name: queue for name in settings if name.endswith("_QUEUE_URL")}
    settings["STREAM_INCARNATION"] = uuid4().hex[:8]  # no shard of the deployed stream
    script = str(Path(__file__).with_name("support") / "cost_run.py")
    ran = subprocess.run(
        [sys.executable, script, str(EVENTS), str(BATCH)],
        env={"PATH": os.environ["PATH"], **pipeline.deployed.engine.environment(), **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    sqs.delete_queue(QueueUrl=queue)
    assert ran.returncode == 0, ran.stderr + ran.stdout[-2000:]
    *logged, result = ran.stdout.splitlines()
    return json.loads(result), sum(len(line) + 1 for line in logged)


def settings_of(pipeline: Pipeline) -> dict[str, str]:
    """Return the environment of all four functions, which agree on what they share."""
    client = pipeline.deployed.client("lambda")
    settings: dict[str, str] = {}
    for service in SERVICES:
        name = pipeline.outputs["functions"][service]
        found = client.get_function_configuration(FunctionName=name)
        settings |= found["Environment"]["Variables"]
    return settings


def documented() -> dict[str, tuple[float, float, float]]:
    """Return the document's rows: count for 1,000 events, price of a million, cost of a million."""
    text = (ROOT / "docs/deploy.md").read_text()
    number = r" \| ([\d,.]+)"
    rows = re.findall(rf"^\| ([A-Z][^|]+?){number}{number}{number} \|$", text, re.MULTILINE)
    return {
        name: tuple(float(value.replace(",", "")) for value in values) for name, *values in rows
    }


def test_the_documented_costs_are_the_counted_ones(pipeline, capsys):
    """For 1,000 events of 400 bytes in batches of 500, nothing in them a duplicate."""
    seen, logged_bytes = counted(pipeline)
    requests = Counter(seen["requests"])
    sent = requests["SendMessage"] + requests["SendMessageBatch"]
    counts = {
        "Kinesis payload units": EVENTS,
        "DynamoDB write units": sum(seen["write_units"].values()),
        "DynamoDB read units": sum(seen["read_units"].values()),
        "S3 puts and lists": requests["PutObject"] + requests["ListObjectsV2"],
        "S3 gets": requests["GetObject"] + requests["HeadObject"],
        "SQS requests": 3 * sent,  # each message is sent, received and deleted
        "Lambda calls": sum(seen["calls"].values()),
        "Kilobytes of log": logged_bytes / 1000,
    }
    with capsys.disabled():
        print(f"\n{EVENTS} events, {BATCH} a batch: {counts}")
        print(f"the handlers' seconds here: {seen['seconds']}\nrequests: {seen['requests']}")
        print(f"write units: {seen['write_units']}\nread units: {seen['read_units']}")
    rows = documented()
    assert rows.keys() == counts.keys()
    for name, (count, price, cost) in rows.items():
        assert count == pytest.approx(counts[name], rel=TOLERANCE), name
        assert cost == pytest.approx(count * price / EVENTS, abs=0.0006), name
