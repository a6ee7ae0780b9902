"""What the shims promise, in the real engine."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from millrace_local.engine import Engine
from millrace_local.tiny_function import TinyFunction

pytestmark = pytest.mark.engine

TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:"

INSERT = """
import boto3, os
def handler(event, context):
    table = os.environ["TABLE"]
    statement = {"Statement": f"INSERT INTO \\"{table}\\" VALUE {{'id': ?}}",
                 "Parameters": [{"S": "a"}]}
    boto3.client("dynamodb").batch_execute_statement(Statements=[statement])
    return "inserted"
"""

SEND = """
import boto3, os
def handler(event, context):
    entries = [{"Id": "1", "MessageBody": "hello"}]
    url = os.environ["QUEUE_URL"]
    return len(boto3.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)["Successful"])
"""


def allow(action: str, resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def create_table(engine: Engine, name: str) -> None:
    engine.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )


def test_partiql_insert_is_all_that_a_batch_insert_needs(
    engine: Engine, tiny: TinyFunction, name: str
) -> None:
    """A role with AWS's action on this table, and no other, may insert."""
    create_table(engine, name)
    statements = [allow("dynamodb:PartiQLInsert", TABLE + name)]
    tiny.deploy(INSERT, statements, variables={"TABLE": name})
    assert tiny.invoke() == "inserted"


@pytest.mark.parametrize(
    ("action", "resource"),
    [("dynamodb:PartiQLSelect", "{}"), ("dynamodb:PartiQLInsert", "another"), ("s3:*", "{}")],
)
def test_without_the_action_on_the_table_an_insert_is_denied(
    engine: Engine, tiny: TinyFunction, name: str, action: str, resource: str
) -> None:
    """Another verb's action, or another table, is not enough."""
    create_table(engine, name)
    statements = [allow(action, TABLE + resource.format(name))]
    tiny.deploy(INSERT, statements, variables={"TABLE": name})
    answer = tiny.invoke()
    assert "AccessDenied" in answer["errorMessage"]
    assert "dynamodb:PartiQLInsert" in answer["errorMessage"]


@pytest.mark.parametrize(("action", "allowed"), [("SendMessage", True), ("ReceiveMessage", False)])
def test_a_batch_of_messages_needs_the_single_calls_action(
    engine: Engine, tiny: TinyFunction, name: str, action: str, allowed: bool
) -> None:
    """sqs:SendMessage is what SendMessageBatch asks for, as in AWS."""
    url = engine.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    tiny.deploy(SEND, [allow(f"sqs:{action}", QUEUE + name)], variables={"QUEUE_URL": url})
    answer = tiny.invoke()
    assert (answer == 1) is allowed
    assert allowed or "AccessDenied" in answer["errorMessage"]


def test_a_dependency_missing_from_the_zip_is_missed(
    engine: Engine, tiny: TinyFunction, name: str
) -> None:
    """Neither the engine's packages nor the developer's reach a function: boto3 alone does."""
    tiny.deploy("import boto3, yaml\ndef handler(event, context):\n    return 1\n")
    answer = tiny.invoke()
    assert "No module named 'yaml'" in answer["errorMessage"]


def test_a_function_sees_its_own_settings_and_no_others(engine: Engine, tiny: TinyFunction) -> None:
    """Settings of the engine or the caller do not leak into the environment of a function."""
    source = "import os\ndef handler(event, context):\n    return dict(os.environ)\n"
    tiny.deploy(source, variables={"MINE": "1"})
    found = tiny.invoke()
    assert found["MINE"] == "1"
    assert found["AWS_ENDPOINT_URL"] == engine.endpoint
    leaked = ("AUTH", "STATE_DIR", "S3_DATA_DIR", "GATEWAY_PORT", "BIND_HOST", "LOG_LEVEL")
    assert not [k for k in found if k in leaked or k.startswith(("PYTHON", "VIRTUAL_ENV"))]


def test_embedded_metrics_arrive(engine: Engine, tiny: TinyFunction, name: str) -> None:
    """What a function prints as an embedded metric can be asked of CloudWatch."""
    directive = {
        "Namespace": name,
        "Dimensions": [["service"]],
        "Metrics": [{"Name": "Accepted", "Unit": "Count"}],
    }
    line = json.dumps(
        {"_aws": {"CloudWatchMetrics": [directive]}, "service": "ingest", "Accepted": 7}
    )
    tiny.deploy(f"def handler(event, context):\n    print({line!r})\n")
    assert tiny.invoke() is None
    now = datetime.now(UTC)
    found = engine.client("cloudwatch").get_metric_statistics(
        Namespace=name,
        MetricName="Accepted",
        Dimensions=[{"Name": "service", "Value": "ingest"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=3600,
        Statistics=["Sum"],
    )
    assert [point["Sum"] for point in found["Datapoints"]] == [7.0]


def test_a_log_is_complete_and_holds_nothing_else(
    engine: Engine, tiny: TinyFunction, name: str
) -> None:
    """All lines of an invocation are in its log, without the mark that ends them."""
    source = "def handler(event, context):\n    for i in range(3):\n        print('line', i)\n"
    tiny.deploy(source)
    tiny.invoke()
    lines = tiny.log()
    assert lines[0].startswith("START")
    assert lines[1:4] == ["line 0", "line 1", "line 2"]
    assert lines[4].startswith("END")


def test_a_quiet_handler_is_not_waited_for(tiny: TinyFunction) -> None:
    """Without the end mark an invocation that prints nothing takes at least 50 ms."""
    tiny.deploy("def handler(event, context):\n    return event\n")
    client = tiny.engine.client("lambda")
    durations = []
    for _ in range(10):
        began = time.perf_counter()
        client.invoke(FunctionName=tiny.name, Payload=b"{}")
        durations.append(time.perf_counter() - began)
    assert min(durations) < 0.05


def test_a_failing_function_leaves_its_trace(engine: Engine, tiny: TinyFunction, name: str) -> None:
    """An exception is answered as an error and its trace is logged."""
    tiny.deploy("def handler(event, context):\n    raise ValueError('no')\n")
    assert tiny.invoke()["errorMessage"] == "no"
    assert any("Traceback" in line for line in tiny.log())


def test_a_stream_keeps_the_tags_it_was_created_with(engine: Engine, name: str) -> None:
    """Otherwise every second plan would add them."""
    kinesis = engine.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1, Tags={"project": "millrace"})
    tags = kinesis.list_tags_for_stream(StreamName=name)["Tags"]
    assert tags == [{"Key": "project", "Value": "millrace"}]


@pytest.mark.parametrize(
    ("start", "expected"),
    [("AT_SEQUENCE_NUMBER", [b"1", b"2"]), ("AFTER_SEQUENCE_NUMBER", [b"2"])],
)
def test_a_sequence_number_is_decimal_as_in_aws(
    engine: Engine, name: str, start: str, expected: list[bytes]
) -> None:
    """Kept as an integer and written out again, it still names its place in the shard."""
    kinesis = engine.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    put = [
        kinesis.put_record(StreamName=name, Data=str(n).encode(), PartitionKey="k")
        for n in range(3)
    ]
    sequences = [answer["SequenceNumber"] for answer in put]
    assert [str(int(sequence)) for sequence in sequences] == sequences
    iterator = kinesis.get_shard_iterator(
        StreamName=name,
        ShardId=put[1]["ShardId"],
        ShardIteratorType=start,
        StartingSequenceNumber=str(int(sequences[1])),
    )["ShardIterator"]
    found = kinesis.get_records(ShardIterator=iterator)["Records"]
    assert [record["Data"] for record in found] == expected


def test_a_function_may_do_nothing_without_a_policy(
    engine: Engine, tiny: TinyFunction, name: str
) -> None:
    """IAM is enforced: a role without statements has no rights."""
    create = f"boto3.client('s3').create_bucket(Bucket={name!r})"
    tiny.deploy(f"import boto3\ndef handler(event, context):\n    {create}\n")
    assert "AccessDenied" in tiny.invoke()["errorMessage"]
    with pytest.raises(ClientError, match="NoSuchBucket"):
        engine.client("s3").list_objects_v2(Bucket=name)
