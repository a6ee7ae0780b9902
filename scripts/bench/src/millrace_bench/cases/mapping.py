"""The event source mapping on the local engine, through a function that does nothing."""

import time
from typing import Any

from millrace_bench.figure import Figure
from millrace_local.engine import Engine
from millrace_local.mapping.state import MappingProgress, read_state
from millrace_local.testing import temporary_engine
from millrace_local.tiny_function import TinyFunction
from millrace_mapping.aws.kinesis import KinesisStream
from millrace_mapping.core.settings import Origin, Start
from millrace_testing.wait import wait_until

WHAT = "records a second through a no-op function, beside reading the same records alone"

_NAME = "bench-mapping"
_SHARDS = 2
_RECORDS = 60_000
_BYTES = 400
_BATCH = 1_000
_DEADLINE_S = 300
_NOTHING = "def handler(event, context):\n    return {'batchItemFailures': []}\n"
_READ = ("DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards")


def run() -> list[Figure]:
    """Return both rates; the engine is started for this and ended again."""
    with temporary_engine("bench") as engine:
        stream_arn = _fill(engine)
        read_s = _read_alone(engine, stream_arn)
        mapped_s = _map(engine, stream_arn)
    return [
        Figure("read alone", _RECORDS / read_s, "records/s"),
        Figure(
            "through a no-op function",
            _RECORDS / mapped_s,
            "records/s",
            against="read alone",
            target="8,000 records/s",
        ),
    ]


def _fill(engine: Engine) -> str:
    kinesis = engine.client("kinesis")
    kinesis.create_stream(StreamName=_NAME, ShardCount=_SHARDS)
    for first in range(0, _RECORDS, 500):
        records = [
            {"Data": b"x" * _BYTES, "PartitionKey": f"key-{n}"} for n in range(first, first + 500)
        ]
        kinesis.put_records(StreamName=_NAME, Records=records)
    summary: dict[str, Any] = kinesis.describe_stream_summary(StreamName=_NAME)
    arn: str = summary["StreamDescriptionSummary"]["StreamARN"]
    return arn


def _read_alone(engine: Engine, stream_arn: str) -> float:
    started = time.perf_counter()
    stream = KinesisStream(engine.client("kinesis"), stream_arn)
    for shard in stream.shards():
        iterator = stream.open_iterator(shard.shard_id, Start(Origin.TRIM_HORIZON))
        while (page := stream.read(iterator)).records and page.iterator:
            iterator = page.iterator
    return time.perf_counter() - started


def _map(engine: Engine, stream_arn: str) -> float:
    rights = {
        "Effect": "Allow",
        "Action": [f"kinesis:{action}" for action in _READ],
        "Resource": stream_arn,
    }
    function = TinyFunction(engine, _NAME).deploy(_NOTHING, [rights])
    started = time.time()
    mapping = engine.client("lambda").create_event_source_mapping(
        EventSourceArn=stream_arn,
        FunctionName=function,
        StartingPosition="TRIM_HORIZON",
        BatchSize=_BATCH,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )["UUID"]

    def processed() -> bool:
        found = read_state(engine.folder.mapping_state).get(mapping, MappingProgress("", ""))
        return sum(shard.delivered for shard in found.shards.values()) >= _RECORDS

    wait_until(processed, _DEADLINE_S, 0.05)
    return time.time() - started
