"""Whether services are called: read from Lambda, EventBridge and CloudWatch as moto plays them."""

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from millrace.aws.services import ServiceNames, ServicesReader, failed_calls
from millrace.investigate.cockpit.readings import (
    FailedCalls,
    ScheduleReading,
    ServiceReading,
    ServiceReadings,
)

NOW = datetime(2025, 12, 28, 12, tzinfo=UTC)
REGION, ACCOUNT = "eu-central-1", "123456789012"
STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/mr-events"
QUEUE = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/mr-archive"
NAMES = ServiceNames(
    {"ingest": "mr-ingest", "archive": "mr-archive", "watch": "mr-watch"},
    {"watch": "mr-watch"},
    STREAM,
    {"archive": QUEUE},
)


@pytest.fixture
def aws(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield lambda service: boto3.client(service, region_name=REGION)


@pytest.fixture
def functions(aws):
    """The functions archive and watch; there is no ingest."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = aws("iam").create_role(RoleName="r", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as file:
        file.writestr("a.py", "")
    client = aws("lambda")
    for name in ("mr-archive", "mr-watch"):
        client.create_function(
            FunctionName=name, Runtime="python3.12", Role=role, Handler="a.b",
            Code={"ZipFile": zipped.getvalue()},
        )  # fmt: skip
    return client


def read(aws):
    reader = ServicesReader(aws("lambda"), aws("events"), aws("cloudwatch"), NAMES)
    return {each.service: each for each in reader.read(datetime.now(UTC)).services}


def test_what_is_not_there_is_said(aws, functions):
    """A function, a mapping of a queue, a rule."""
    found = read(aws)
    assert found["ingest"] == ServiceReading("ingest", exists=False, unread=("stream mr-events",))
    assert found["archive"].unread == ("queue mr-archive",)
    assert found["watch"].schedule == ScheduleReading("mr-watch", None)


def test_mappings_rules_and_concurrency_are_read_as_they_are(aws, functions):
    """State, source and id; a rule's state; no concurrency at all."""
    aws("sqs").create_queue(QueueName="mr-archive")
    made = functions.create_event_source_mapping(
        EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:mr-archive", FunctionName="mr-archive",
        Enabled=False,
    )  # fmt: skip
    aws("events").put_rule(Name="mr-watch", ScheduleExpression="rate(1 minute)", State="DISABLED")
    functions.put_function_concurrency(FunctionName="mr-watch", ReservedConcurrentExecutions=0)
    found = read(aws)
    (mapping,) = found["archive"].mappings
    assert (mapping.uuid, mapping.source) == (made["UUID"], "queue mr-archive")
    assert mapping.state != "Enabled"
    assert found["archive"].unread == ()
    assert found["archive"].may_run
    assert found["watch"].schedule == ScheduleReading("mr-watch", "DISABLED")
    assert not found["watch"].may_run


def test_calls_that_all_failed_are_read_from_the_metrics(aws, functions):
    """Calls and errors of the last hour, of the function's own dimension."""
    minute = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)
    for metric in ("Invocations", "Errors"):
        aws("cloudwatch").put_metric_data(
            Namespace="AWS/Lambda",
            MetricData=[
                {
                    "MetricName": metric, "Value": 4, "Timestamp": minute,
                    "Dimensions": [{"Name": "FunctionName", "Value": "mr-archive"}],
                }
            ],
        )  # fmt: skip
    found = read(aws)
    assert found["archive"].failed is not None
    assert found["archive"].failed.calls == 4
    assert found["watch"].failed is None


class Forbidden:
    """Every call that is refused for want of a right."""

    def __getattr__(self, operation):
        def refuse(*_args, **_kwargs):
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, operation)

        return refuse


def test_what_may_not_be_asked_is_left_out_and_named(aws, functions):
    """One right that lacks costs one part of the answer; without any there is none."""
    some = ServicesReader(aws("lambda"), Forbidden(), Forbidden(), NAMES).read(NOW)
    assert some.not_asked == ("schedules", "calls")
    assert [each.service for each in some.services] == ["ingest", "archive", "watch"]
    assert not some.services[0].exists
    none = ServicesReader(Forbidden(), Forbidden(), Forbidden(), NAMES).read(NOW)
    assert none == ServiceReadings((), ("functions", "mappings", "schedules", "calls"))


def minutes(*values):
    """Return values of the minutes before NOW, the latest first."""
    return {NOW - timedelta(minutes=n): value for n, value in enumerate(values)}


@pytest.mark.parametrize(
    ("calls", "errors", "expected"),
    [
        ((1, 1, 1), (1, 1, 1), FailedCalls(3, NOW - timedelta(minutes=2))),
        ((2, 0, 2, 5), (2, 0, 2, 1), FailedCalls(4, NOW - timedelta(minutes=2))),
        ((1, 9), (0, 9), None),
        ((2,), (2,), None),
        ((), (), None),
    ],
    ids=["all", "all-since-one-succeeded", "mended", "too-few", "never-called"],
)
def test_only_the_latest_calls_count(calls, errors, expected):
    """Back to the last minute in which one succeeded."""
    assert failed_calls(minutes(*calls), minutes(*errors)) == expected
