"""The Kinesis mapping against the real engine: what the simulation cannot show."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner

from millrace_local import engine as life_cycle
from millrace_local.__main__ import app
from millrace_local.engine import Engine
from millrace_local.mapping.state import MappingProgress, read_state
from millrace_local.testing import temporary_engine
from millrace_local.tiny_function import TinyFunction
from millrace_testing.wait import wait_until

pytestmark = pytest.mark.engine

# Notes each batch; fails record 5 once, everything while FAIL is set, and always what is POISON.
SOURCE = """
import base64, json, os
FAILED = set()
def handler(event, context):
    batch = [base64.b64decode(r["kinesis"]["data"]).decode() for r in event["Records"]]
    print(json.dumps({"batch": batch}))
    if os.environ.get("FAIL") or os.environ.get("POISON") in batch:
        raise ValueError("told to")
    bad = [r["kinesis"]["sequenceNumber"] for r, text in zip(event["Records"], batch)
           if text in ("5", "7") and not FAILED]
    FAILED.update(bad)
    return {"batchItemFailures": [{"itemIdentifier": str(int(s))} for s in reversed(bad)]}
"""
SHARD = "shardId-000000000000"


def may(*actions: str, on: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on}


def read_stream(name: str) -> dict[str, Any]:
    """What AWS asks of the execution role of a stream's consumer.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
    """
    actions = (
        "DescribeStream",
        "DescribeStreamSummary",
        "GetRecords",
        "GetShardIterator",
        "ListShards",
    )
    return may(
        *(f"kinesis:{action}" for action in actions),
        on=f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}",
    )


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


def put(engine: Engine, stream: str, count: int, first: int = 0, key: str = "one") -> float:
    """Put numbers, in order; return the time at which they were all there."""
    numbers = range(first, first + count)
    records = [{"Data": str(n).encode(), "PartitionKey": key} for n in numbers]
    engine.client("kinesis").put_records(StreamName=stream, Records=records)
    return time.time()


def progress(engine: Engine, mapping: str) -> MappingProgress:
    unknown = MappingProgress("", "")
    return read_state(engine.folder.mapping_state).get(mapping, unknown)


def drained(engine: Engine, mapping: str, since: float) -> None:
    wait_until(lambda: progress(engine, mapping).drained(since))


def batches(tiny: TinyFunction) -> list[list[str]]:
    """Return the batches that the function printed."""
    return [json.loads(line)["batch"] for line in tiny.log() if line.startswith('{"batch"')]


def numbers(first: int, end: int) -> list[str]:
    return [str(n) for n in range(first, end)]


def test_a_partial_failure_is_retried_from_its_lowest_record(engine, tiny, name):
    """Records before the lowest reported one are done, all from it on come again, none is lost."""
    function = tiny.deploy(SOURCE, [read_stream(name)])
    with mapped(engine, name, function, BatchSize=8, MaximumBatchingWindowInSeconds=1) as uuid:
        drained(engine, uuid, put(engine, name, 10))
    found = batches(tiny)
    assert sorted(found, key=lambda batch: (int(batch[0]), -len(batch))) == [
        numbers(0, 8),
        numbers(5, 8),
        numbers(8, 10),
    ]


def test_a_poisonous_record_ends_up_alone_in_the_queue(engine, tiny, name):
    """Bisect, retries and the destination of a mapping as Terraform would create it."""
    sqs = engine.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue_arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
    rights = [read_stream(name), may("sqs:SendMessage", on=queue_arn)]
    function = tiny.deploy(SOURCE, rights, variables={"POISON": "3"})
    with mapped(
        engine,
        name,
        function,
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=1,
        MaximumBatchingWindowInSeconds=1,
        DestinationConfig={"OnFailure": {"Destination": queue_arn}},
    ) as uuid:
        drained(engine, uuid, put(engine, name, 5))
        (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)["Messages"]
        assert progress(engine, uuid).shards[SHARD].discarded == 1
    assert [batch for batch in batches(tiny) if "3" in batch][-2:] == [["3"]] * 2
    record = json.loads(message["Body"])
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["requestContext"]["functionArn"] == function
    assert record["KinesisBatchInfo"]["batchSize"] == 1
    assert record["KinesisBatchInfo"]["shardId"] == SHARD


def test_a_bucket_keeps_the_event_of_a_discarded_batch(engine, tiny, name):
    """The object's key is in AWS's format, and its payload is what the function was sent."""
    s3 = engine.client("s3")
    s3.create_bucket(Bucket=name)
    rights = [read_stream(name), may("s3:PutObject", on=f"arn:aws:s3:::{name}/aws/lambda/*")]
    function = tiny.deploy(SOURCE, rights, variables={"FAIL": "1"})
    with mapped(
        engine,
        name,
        function,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": f"arn:aws:s3:::{name}"}},
    ) as uuid:
        drained(engine, uuid, put(engine, name, 1))
        (found,) = s3.list_objects_v2(Bucket=name)["Contents"]
    assert found["Key"].startswith(f"aws/lambda/{uuid}/{SHARD}/")
    document = json.loads(s3.get_object(Bucket=name, Key=found["Key"])["Body"].read())
    (record,) = json.loads(document["payload"])["Records"]
    assert record["kinesis"]["sequenceNumber"] == document["KinesisBatchInfo"]["endSequenceNumber"]


def test_the_mapping_says_how_it_went(engine, tiny, name):
    """GetEventSourceMapping has the last result, CloudWatch the iterator age and the events."""
    function = tiny.deploy(SOURCE, [read_stream(name)], variables={"POISON": "1"})
    lambda_ = engine.client("lambda")
    with mapped(engine, name, function, MaximumRetryAttempts=0) as uuid:

        def result() -> str:
            return lambda_.get_event_source_mapping(UUID=uuid)["LastProcessingResult"]

        assert result() == "No records processed"
        drained(engine, uuid, put(engine, name, 1))
        wait_until(lambda: result() == "OK")
        put(engine, name, 1, first=1)
        wait_until(lambda: result() == "PROBLEM: Function call failed")
        wait_until(
            lambda: measured(engine, "DroppedEventCount", "EventSourceMappingUUID", uuid) == 1
        )
    assert measured(engine, "PolledEventCount", "EventSourceMappingUUID", uuid) == 2
    assert measured(engine, "IteratorAge", "FunctionName", name, "SampleCount") == 2


def measured(
    engine: Engine, metric: str, dimension: str, value: str, statistic: str = "Sum"
) -> float:
    points = engine.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=metric,
        Dimensions=[{"Name": dimension, "Value": value}],
        StartTime=time.time() - 600,
        EndTime=time.time() + 600,
        Period=3600,
        Statistics=[statistic],
    )["Datapoints"]
    return sum(point[statistic] for point in points)


def test_a_role_that_may_not_read_is_said_to(engine, tiny, name):
    """The stream is read with the function's rights; without them nothing is processed."""
    with mapped(engine, name, tiny.deploy(SOURCE)) as uuid:
        put(engine, name, 1)
        lambda_ = engine.client("lambda")
        told = wait_until(
            lambda: (
                (
                    result := lambda_.get_event_source_mapping(UUID=uuid)["LastProcessingResult"]
                ).startswith("PROBLEM")
                and result
            )
        )
    assert "may not read the stream" in told


def test_a_paused_mapping_goes_on_where_it_was(engine, tiny, name):
    """Disabled by command it processes nothing, enabled again everything since, once."""
    cli = CliRunner()
    function = tiny.deploy(SOURCE, [read_stream(name)])
    with mapped(engine, name, function) as uuid:
        drained(engine, uuid, put(engine, name, 2))
        assert cli.invoke(app, ["pause", uuid, "--name", engine.name]).exit_code == 0
        wait_until(lambda: progress(engine, uuid).paused)
        since = put(engine, name, 2, first=2)
        assert not progress(engine, uuid).drained(since)
        assert cli.invoke(app, ["resume", uuid, "--name", engine.name]).exit_code == 0
        drained(engine, uuid, since)
    assert sorted(batches(tiny)) == [numbers(0, 2), numbers(2, 4)]


def test_pausing_what_is_not_there_is_refused(engine):
    """The message names the mapping and those there are."""
    result = CliRunner().invoke(app, ["pause", "nobody", "--name", engine.name])
    assert "no Kinesis mapping nobody" in str(result.exception)


def test_children_of_a_split_shard_wait_for_it(engine, tiny, name):
    """The parent stays, closed, with what it held; its children are read after it."""
    kinesis = engine.client("kinesis")
    function = tiny.deploy(SOURCE, [read_stream(name)])
    with mapped(engine, name, function, MaximumBatchingWindowInSeconds=2) as uuid:
        wait_until(lambda: progress(engine, uuid).shards)
        put(engine, name, 2)
        kinesis.split_shard(StreamName=name, ShardToSplit=SHARD, NewStartingHashKey=str(2**127))
        since = put(engine, name, 2, first=2)
        shards = kinesis.list_shards(StreamName=name)["Shards"]
        drained(engine, uuid, since)
        assert progress(engine, uuid).shards[SHARD].closed
    assert batches(tiny) == [numbers(0, 2), numbers(2, 4)]
    parent, *children = sorted(shards, key=lambda shard: shard["ShardId"])
    assert "EndingSequenceNumber" in parent["SequenceNumberRange"]
    assert [child["ParentShardId"] for child in children] == [SHARD] * 2


def test_a_new_poller_continues_where_the_old_one_was(name):
    """What was delivered before the poller was killed does not come again."""
    with temporary_engine("poller") as own:  # the shared engine's poller is left alone
        tiny = TinyFunction(own, name)
        with mapped(own, name, tiny.deploy(SOURCE, [read_stream(name)])) as uuid:
            drained(own, uuid, put(own, name, 3))
            os.kill(life_cycle.running(own.name).poller_pid, signal.SIGKILL)
            wait_until(lambda: life_cycle.status(own.name).missing == ("poller",))
            life_cycle.start(own.name, 0)
            drained(own, uuid, put(own, name, 2))
        assert sorted(batches(tiny)) == [numbers(0, 2), numbers(0, 3)]


def test_a_changed_mapping_is_followed(engine, tiny, name):
    """A new batch size holds from the next batch on; nothing comes twice."""
    with mapped(engine, name, tiny.deploy(SOURCE, [read_stream(name)]), BatchSize=2) as uuid:
        drained(engine, uuid, put(engine, name, 4))
        engine.client("lambda").update_event_source_mapping(UUID=uuid, BatchSize=1)
        time_of_update = time.time()
        drained(engine, uuid, time_of_update)
        drained(engine, uuid, put(engine, name, 2, first=8))
    found = batches(tiny)
    assert found[:2] == [numbers(0, 2), numbers(2, 4)]
    assert sorted(record for batch in found[2:] for record in batch) == numbers(8, 10)


def test_the_event_names_its_stream_and_role(engine, tiny, name):
    """The event of a real invocation carries the function's role and the stream's ARN."""
    source = (
        "import json\n"
        "def handler(event, context):\n"
        "    r = event['Records'][0]\n"
        "    print(json.dumps({'batch': [r['invokeIdentityArn'], r['eventSourceARN']]}))\n"
    )
    with mapped(engine, name, tiny.deploy(source, [read_stream(name)])) as uuid:
        drained(engine, uuid, put(engine, name, 1))
    assert batches(tiny) == [
        [
            f"arn:aws:iam::000000000000:role/{name}",
            f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}",
        ]
    ]


def test_a_mapping_starts_at_its_timestamp(engine, tiny, name):
    """AT_TIMESTAMP reaches the stream: what came before is not processed."""
    kinesis = engine.client("kinesis")
    function = tiny.deploy(SOURCE, [read_stream(name)])
    kinesis.create_stream(StreamName=name, ShardCount=1)
    between = put(engine, name, 2) + 0.001
    wait_until(lambda: time.time() > between + 0.01, every_s=0.005)
    since = put(engine, name, 2, first=2)
    arn = f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}"
    uuid = engine.client("lambda").create_event_source_mapping(
        EventSourceArn=arn,
        FunctionName=function,
        StartingPosition="AT_TIMESTAMP",
        StartingPositionTimestamp=between,
    )["UUID"]
    drained(engine, uuid, since)
    engine.client("lambda").delete_event_source_mapping(UUID=uuid)
    assert batches(tiny) == [numbers(2, 4)]
