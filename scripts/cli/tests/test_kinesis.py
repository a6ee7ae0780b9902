from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from moto import mock_aws

from millrace_cli.aws import as_command_error
from millrace_cli.errors import CommandError
from millrace_cli.kinesis import KinesisStream
from millrace_cli.records import OutRecord
from millrace_cli.sending import Placed, Progress, send

REGION = "us-east-1"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        kinesis = boto3.client("kinesis", region_name=REGION)
        kinesis.create_stream(StreamName="events", ShardCount=1)
        yield kinesis


def stream_arn(client: object) -> str:
    return client.describe_stream_summary(StreamName="events")["StreamDescriptionSummary"][
        "StreamARN"
    ]


def on_stream(client: object) -> list[dict]:
    iterator = client.get_shard_iterator(
        StreamName="events", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    return client.get_records(ShardIterator=iterator, Limit=10000)["Records"]


def test_records_reach_the_stream_with_their_keys(client: object) -> None:
    """Bytes and partition keys arrive unchanged, in order, over several full batches."""
    records = [OutRecord(b'{"n":%d}' % n, f"user {n % 3} ü") for n in range(1200)]
    progress = Progress()
    send(records, KinesisStream(client, stream_arn(client)), progress)
    arrived = on_stream(client)
    assert [(r["Data"], r["PartitionKey"]) for r in arrived] == [
        (r.data, r.partition_key) for r in records
    ]
    last = max(int(record["SequenceNumber"]) for record in arrived)
    assert progress.last_placed == {"shardId-000000000000": last}


def test_the_largest_record_is_taken(client: object) -> None:
    """1 MiB of data and key together is within Kinesis's limit (API_PutRecords)."""
    record = OutRecord(b"x" * (1024 * 1024 - 1), "k")
    (placed,) = KinesisStream(client, stream_arn(client)).put([record])
    assert isinstance(placed, Placed)


def test_a_missing_stream_says_to_deploy(client: object) -> None:
    """No retry helps against a stream that is not there."""
    arn = stream_arn(client).replace("/events", "/other")
    with pytest.raises(CommandError, match=r"ResourceNotFoundException.*make run"):
        KinesisStream(client, arn).put([OutRecord(b"{}", "k")])


class Refusing:
    """A client whose answer to put_records is an error of the whole request."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def put_records(self, **_: object) -> object:
        raise self._error


def test_a_throttled_request_is_all_its_records_to_retry() -> None:
    """Nothing of the request was taken, so each record has the error and may be put again."""
    error = ClientError({"Error": {"Code": "LimitExceededException"}}, "PutRecords")
    codes = KinesisStream(Refusing(error), "arn").put([OutRecord(b"{}", "k")] * 2)
    assert codes == ["LimitExceededException"] * 2


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (NoCredentialsError(), "AWS_PROFILE"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "start the local engine"),
        (ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutRecords"), "rights"),
        (
            ClientError(
                {
                    "Error": {
                        "Code": "AccessDenied",
                        "Message": "User: x is not authorized to perform: kinesis:PutRecords on y",
                    }
                },
                "PutRecords",
            ),
            "not allowed .kinesis:PutRecords: AccessDenied",
        ),
    ],
)
def test_errors_say_what_to_do(error: Exception, remedy: str) -> None:
    """Each expected failure is one line with its remedy."""
    with pytest.raises(CommandError, match=remedy):
        KinesisStream(Refusing(error), "arn").put([OutRecord(b"{}", "k")])
    assert "\n" not in str(as_command_error(error, "put records"))
