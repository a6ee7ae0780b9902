"""The Kinesis mapping against the real engine."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from millrace_local import engine as life_cycle
from millrace_local.engine import Engine
from millrace_local.mapping.state import MappingProgress, read_state
from millrace_local.tiny_function import TinyFunction
from millrace_testing.wait import wait_until

pytestmark = pytest.mark.engine

# Notes each batch under its first record; fails record 5 once, or everything while FAIL is set.
# It names what failed by the number's value, as the pipeline's functions do.
SOURCE = """
import base64, json, os, pathlib
FAILED = set()
def handler(event, context):
    batch = [base64.b64decode(r["kinesis"]["data"]).decode() for r in event["Records"]]
    print(json.dumps({"batch": batch}))
    if os.environ.get("FAIL"):
        raise ValueError("told to")
    bad = [r["kinesis"]["sequenceNumber"] for r, text in zip(event["Records"], batch)
           if text in ("5", "7") and not FAILED]
    FAILED.update(bad)
    return {"batchItemFailures": [{"itemIdentifier": str(int(s))} for s in reversed(bad)]}
"""


@contextmanager
def mapped(engine: Engine, name: str, function: str, **members: Any) -> Iterator[str]:
    """Create a stream of the test's name with one shard, and a mapping to the function."""
    kinesis = engine.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    arn = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    mapping = engine.client("lambda").create_event_source_mapping(
        EventSourceArn=arn,
        FunctionName=function,
        StartingPosition="TRIM_HORIZON",
        FunctionResponseTypes=["ReportBatchItemFailures"],
        **members,
    )["UUID"]
    yield mapping
    engine.client("lambda").delete_event_source_mapping(UUID=mapping)


def put(engine: Engine, stream: str, count: int) -> float:
    """Put the numbers from 0 on, in order; return the time at which they were all there."""
    records = [{"Data": str(n).encode(), "PartitionKey": "one"} for n in range(count)]
    engine.client("kinesis").put_records(StreamName=stream, Records=records)
    return time.time()


def progress(engine: Engine, mapping: str) -> MappingProgress:
    unknown = MappingProgress("", "")
    return read_state(engine.folder.mapping_state).get(mapping, unknown)


def batches(tiny: TinyFunction) -> list[list[str]]:
    """Return the batches that the function printed."""
    return [json.loads(line)["batch"] for line in tiny.log() if line.startswith('{"batch"')]


def numbers(first: int, end: int) -> list[str]:
    return [str(n) for n in range(first, end)]


def test_a_partial_failure_is_retried_from_its_lowest_record(
    engine: Engine, tiny: TinyFunction, name: str
) -> None:
    """Records before the lowest reported one are done, all from it on come again, none is lost."""
    with mapped(
        engine, name, tiny.deploy(SOURCE), BatchSize=8, MaximumBatchingWindowInSeconds=1
    ) as uuid:
        since = put(engine, name, 10)
        wait_until(lambda: progress(engine, uuid).drained(since))
    found = batches(tiny)
    assert sorted(found, key=lambda batch: (int(batch[0]), -len(batch))) == [
        numbers(0, 8),
        numbers(5, 8),
        numbers(8, 10),
    ]


def test_a_shard_that_cannot_go_on_says_so(engine: Engine, tiny: TinyFunction, name: str) -> None:
    """With its retries used up the shard is blocked, which is not taken for drained."""
    function = tiny.deploy(SOURCE, variables={"FAIL": "1"})
    with mapped(engine, name, function, MaximumRetryAttempts=1) as uuid:
        since = put(engine, name, 3)
        blocked = wait_until(lambda: progress(engine, uuid).blocked())
        assert "2 attempts at 3 records" in blocked["shardId-000000000000"]
        assert "told to" in blocked["shardId-000000000000"]
        assert not progress(engine, uuid).drained(since)
    assert batches(tiny) == [numbers(0, 3)] * 2


def test_a_new_poller_continues_where_the_old_one_was(
    engine: Engine, tiny: TinyFunction, name: str
) -> None:
    """What was delivered before the poller was killed does not come again."""
    with mapped(engine, name, tiny.deploy(SOURCE)) as uuid:
        since = put(engine, name, 3)
        wait_until(lambda: progress(engine, uuid).drained(since))
        poller = life_cycle.running(engine.name).poller_pid
        os.kill(poller, signal.SIGKILL)
        wait_until(lambda: life_cycle.status(engine.name).missing == ("poller",))
        life_cycle.start(engine.name, 0)
        since = put(engine, name, 2)
        wait_until(lambda: progress(engine, uuid).drained(since))
    assert sorted(batches(tiny)) == [numbers(0, 2), numbers(0, 3)]


def test_the_event_names_its_stream_and_role(engine: Engine, tiny: TinyFunction, name: str) -> None:
    """The event of a real invocation carries the function's role and the stream's ARN."""
    source = (
        "import json\n"
        "def handler(event, context):\n"
        "    r = event['Records'][0]\n"
        "    print(json.dumps({'batch': [r['invokeIdentityArn'], r['eventSourceARN']]}))\n"
    )
    with mapped(engine, name, tiny.deploy(source)) as uuid:
        since = put(engine, name, 1)
        wait_until(lambda: progress(engine, uuid).drained(since))
    assert batches(tiny) == [
        [
            f"arn:aws:iam::000000000000:role/{name}",
            f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}",
        ]
    ]
