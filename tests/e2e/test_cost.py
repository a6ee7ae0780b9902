"""What docs/deploy.md says that events cost is what the handlers were seen to ask of AWS."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pipeline import Pipeline

pytestmark = pytest.mark.engine

ROOT = Path(__file__).parents[2]
EVENTS, BATCH = 1000, 500
SERVICES = ("ingest", "enrich", "aggregate", "archive")
TOLERANCE = 0.1


def counted(pipeline: Pipeline) -> dict[str, Any]:
    """Take the events through the handlers with the functions' settings, and no queue of theirs."""
    lambda_, sqs = pipeline.deployed.client("lambda"), pipeline.deployed.client("sqs")
    queue = sqs.create_queue(QueueName=f"cost-{uuid4().hex}")["QueueUrl"]
    settings: dict[str, str] = {}
    for service in SERVICES:
        name = pipeline.outputs["functions"][service]
        found = lambda_.get_function_configuration(FunctionName=name)
        settings |= found["Environment"]["Variables"]
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
    result: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return result


def documented() -> dict[str, float]:
    """Return the column of counts of the document's table, by the name in the row."""
    text = (ROOT / "docs/deploy.md").read_text()
    rows = re.findall(r"^\| ([A-Z][^|]+?) \| ([\d.]+) \|", text, re.MULTILINE)
    return {name: float(count) for name, count in rows}


def test_the_documented_counts_are_the_counted_ones(pipeline, capsys):
    """For 1,000 events of 400 bytes in batches of 500, nothing in them a duplicate."""
    seen = counted(pipeline)
    requests = seen["requests"]
    puts = {"PutObject", "PutObjectTagging", "ListObjectsV2"}
    per_thousand = {
        "DynamoDB write units": sum(seen["write_units"].values()),
        "DynamoDB read units": sum(seen["read_units"].values()),
        "S3 puts": sum(count for name, count in requests.items() if name in puts),
        "S3 gets": sum(requests.get(name, 0) for name in ("GetObject", "HeadObject")),
        # Each message is sent once, and received and deleted once by Lambda.
        "SQS requests": 3
        * sum(requests.get(name, 0) for name in ("SendMessage", "SendMessageBatch")),
        "Lambda calls": sum(seen["calls"].values()),
    }
    with capsys.disabled():
        print(f"\n{EVENTS} events, {BATCH} a batch: {per_thousand}")
        print(f"handlers' seconds on this machine: {seen['seconds']}")
        print(f"requests: {requests}\nwrites: {seen['write_units']}\nreads: {seen['read_units']}")
    claims = documented()
    for name, count in per_thousand.items():
        assert claims[name] == pytest.approx(count, rel=TOLERANCE), name
