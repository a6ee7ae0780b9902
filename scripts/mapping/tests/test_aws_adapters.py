"""Destinations, roles, metrics and errors over boto3."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from millrace_mapping.aws.destinations import destination_of
from millrace_mapping.aws.function import LambdaFunction
from millrace_mapping.aws.kinesis import KinesisStream
from millrace_mapping.aws.metrics import CloudWatchMetrics
from millrace_mapping.aws.sessions import ROLE_SESSION, Sessions
from millrace_mapping.core.discards import Condition, Discard, invocation_record
from millrace_mapping.core.effects import ReadFault
from millrace_mapping.core.measures import Measure, Metric
from millrace_mapping.core.outcome import Answer
from millrace_mapping.core.records import EncodedRecord
from millrace_mapping.core.settings import MappingSettings
from millrace_mapping.ports import NotDelivered, NotInvoked, ReadFailed

ACCOUNT = "123456789012"
RECORD = EncodedRecord("1000", 1_700_000_000.0, '{"kinesis":{"sequenceNumber":"1000"}}')
DISCARD = Discard("shardId-0", (RECORD,), Condition.RETRIES, 2, 1_700_000_060.0)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sessions]:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield Sessions()


def settings(destination: str | None) -> MappingSettings:
    return MappingSettings(
        uuid="mapping-uuid",
        stream_arn=f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/s",
        function_arn=f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f",
        role_arn=f"arn:aws:iam::{ACCOUNT}:role/f",
        destination_arn=destination,
    )


def test_a_queue_receives_the_metadata(aws):
    """The document as it is, without the payload.

    https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
    """
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="discarded")["QueueUrl"]
    chosen = settings(f"arn:aws:sqs:us-east-1:{ACCOUNT}:discarded")
    record = invocation_record(DISCARD, chosen)
    destination_of(chosen, aws).deliver(record, DISCARD)
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"]) == record
    assert "payload" not in record


def test_a_bucket_receives_the_event(aws):
    """Under AWS's key, with the payload.

    https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
    """
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="discarded")
    chosen = settings("arn:aws:s3:::discarded")
    destination_of(chosen, aws).deliver(invocation_record(DISCARD, chosen), DISCARD)
    (found,) = s3.list_objects_v2(Bucket="discarded")["Contents"]
    assert found["Key"].startswith(
        "aws/lambda/mapping-uuid/shardId-0/2023/11/14/2023-11-14T22.14.20-"
    )
    document = json.loads(s3.get_object(Bucket="discarded", Key=found["Key"])["Body"].read())
    assert json.loads(document["payload"]) == {"Records": [json.loads(RECORD.json)]}


@pytest.mark.parametrize(
    "destination", [f"arn:aws:sqs:us-east-1:{ACCOUNT}:missing", "arn:aws:s3:::missing"]
)
def test_a_destination_that_is_not_there_refuses(aws, destination):
    """The core decides what comes of it."""
    chosen = settings(destination)
    with pytest.raises(NotDelivered):
        destination_of(chosen, aws).deliver(invocation_record(DISCARD, chosen), DISCARD)


def test_a_mapping_without_destination_has_none(aws):
    """There is nothing to send to."""
    assert destination_of(settings(None), aws) is None


def test_the_role_is_assumed(aws):
    """Streams and destinations are used with the function's role.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
    """
    role = f"arn:aws:iam::{ACCOUNT}:role/f"
    identity = aws.as_role(role, "sts").get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/f/{ROLE_SESSION}"


def test_metrics_are_summed_up(aws):
    """One datum for each metric, under the function's name or the mapping's UUID."""
    metrics = CloudWatchMetrics(aws.own("cloudwatch"), settings(None))
    metrics.publish(
        [
            Measure(Metric.POLLED, 3),
            Measure(Metric.POLLED, 4),
            Measure(Metric.ITERATOR_AGE, 250.0),
        ]
    )
    found = boto3.client("cloudwatch").list_metrics(Namespace="AWS/Lambda")["Metrics"]
    dimensions = {each["MetricName"]: each["Dimensions"] for each in found}
    assert dimensions == {
        "PolledEventCount": [{"Name": "EventSourceMappingUUID", "Value": "mapping-uuid"}],
        "IteratorAge": [{"Name": "FunctionName", "Value": "f"}],
    }


class Failing:
    """A client whose every call fails with a code, or answers."""

    def __init__(self, code: str = "", answer: dict[str, Any] | None = None) -> None:
        self.code, self.answer = code, answer

    def __getattr__(self, name: str) -> Any:
        def call(**_: Any) -> Any:
            if self.answer is not None:
                return self.answer
            raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, name)

        return call


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("ExpiredIteratorException", ReadFault.EXPIRED),
        ("ProvisionedThroughputExceededException", ReadFault.THROTTLED),
        ("ResourceNotFoundException", ReadFault.GONE),
        ("AccessDeniedException", ReadFault.DENIED),
        ("InternalFailure", ReadFault.UNAVAILABLE),
    ],
)
def test_an_error_of_kinesis_has_a_name_in_the_core(code, fault):
    """Each is treated as what it is; what is not known is tried again.

    https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
    """
    with pytest.raises(ReadFailed) as caught:
        KinesisStream(Failing(code), "arn").read("iterator")
    assert caught.value.fault is fault


class Body:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def read(self) -> bytes:
        return self.content


def test_a_function_error_is_an_answer():
    """Type and message are kept for the mapping's last result.

    https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
    """
    body = b'{"errorType": "ValueError", "errorMessage": "no"}'
    response = {
        "Payload": Body(body),
        "FunctionError": "Unhandled",
        "ResponseMetadata": {"RequestId": "r"},
    }
    answer = LambdaFunction(Failing(answer=response), "f").invoke(b"{}")
    assert answer == Answer(body, "ValueError: no", "r")


def test_a_throttled_function_was_not_invoked():
    """429 is no answer: it uses up no retry.

    https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
    """
    with pytest.raises(NotInvoked, match="TooManyRequests"):
        LambdaFunction(Failing("TooManyRequestsException"), "f").invoke(b"{}")
