"""Alarms of the local engine: CloudWatch's rules on plain values, then on an engine."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest

from millrace_local.shims.alarm_figures import newest_periods
from millrace_local.shims.alarm_requests import as_xml, describing_all, structured, typed
from millrace_local.shims.alarm_state import judge, state_of
from millrace_local.shims.metric_math import UnknownExpression, value_of
from millrace_local.shims.queue_metrics import Published, figures_of
from millrace_testing.wait import wait_until

# The tables of
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html:
# X breaches, 0 does not, - is missing, the newest last; then the state under each treatment.
_KEPT = "kept"
_TABLES = [
    (3, 3, "0-X-X", ("OK", "OK", "OK", "OK")),
    (3, 3, "----0", ("OK", "OK", "OK", "OK")),
    (3, 3, "-----", ("INSUFFICIENT_DATA", _KEPT, "ALARM", "OK")),
    (3, 3, "0XX-X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    (3, 3, "--X--", ("ALARM", _KEPT, "ALARM", "OK")),
    (2, 3, "0-X-X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    (2, 3, "00X0X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    (2, 3, "0-X--", ("OK", "OK", "ALARM", "OK")),
    (2, 3, "----0", ("OK", "OK", "ALARM", "OK")),
    (2, 3, "----X", ("ALARM", _KEPT, "ALARM", "OK")),
]


@pytest.mark.parametrize(("needed", "periods", "points", "states"), _TABLES)
def test_missing_data_are_treated_as_documented(
    needed: int, periods: int, points: str, states: tuple[str, ...]
) -> None:
    """Real data count first; only then is what is missing filled in."""
    breaching = [{"X": True, "0": False, "-": None}[point] for point in points]
    assert states == tuple(
        judge(breaching, periods, needed, treatment) or _KEPT
        for treatment in ("missing", "ignore", "breaching", "notBreaching")
    )


def test_periods_slide_and_end_now() -> None:
    """Each point counts in one period; a period without points has no figure."""
    points = [{"Timestamp": at, "Value": value} for at, value in ((650, 9), (745, 1), (770, 2))]
    points.append({"Timestamp": 795, "Value": 0.0, "_stat": {"SampleCount": 3.0, "Sum": 6.0,
                   "Minimum": 1.0, "Maximum": 4.0}})  # fmt: skip
    assert newest_periods(points, "Sum", 60, 3, 800.0) == [9.0, None, 9.0]
    assert newest_periods(points, "Maximum", 60, 1, 800.0) == [4.0]
    assert newest_periods(points, "Average", 60, 1, 800.0) == [9 / 5]
    assert newest_periods(points, "SampleCount", 60, 1, 800.0) == [5.0]
    assert newest_periods(points, "Minimum", 60, 2, 860.0) == [1.0, None]


@pytest.mark.parametrize(
    ("expression", "figure"),
    [
        ("IF(all >= 20, 100 * (all - good) / all, 0)", 25.0),
        ("IF(all >= 50, 100, -1)", -1.0),
        ("all / (good - 30)", None),
        ("all + gone", None),
        ("FILL(gone, 7) + all", 47.0),
        ("IF(gone > 1, 1, 2)", None),
    ],
)
def test_metric_math(expression: str, figure: float | None) -> None:
    """Arithmetic, comparison, IF and FILL; what is missing makes no figure."""
    assert value_of(expression, {"all": 40.0, "good": 30.0, "gone": None}) == figure


@pytest.mark.parametrize(
    "expression", ["SEARCH('x')", "all & good", "all[0]", "nothing", "all +", "1 < all < 3"]
)
def test_other_metric_math_is_refused(expression: str) -> None:
    """An expression that is not known is named, never guessed at."""
    with pytest.raises(UnknownExpression):
        value_of(expression, {"all": 1.0, "good": 1.0})


def test_an_alarm_on_an_expression() -> None:
    """Its metrics are read period by period, and the expression is compared."""
    figures = {"Received": [100.0, 100.0, None], "Accepted": [99.0, 60.0, None]}

    def read(metric: Mapping[str, Any], statistic: str, period_s: int, count: int) -> Any:
        assert (statistic, period_s, count) == ("Sum", 300, 3)
        return figures[metric["MetricName"]]

    metrics = [
        {"Id": key, "ReturnData": False,
         "MetricStat": {"Metric": {"MetricName": name}, "Stat": "Sum", "Period": 300}}
        for key, name in (("received", "Received"), ("accepted", "Accepted"))
    ]  # fmt: skip
    share = {"Id": "share", "Expression": "100 * (received - accepted) / received"}
    alarm = {
        "Metrics": [*metrics, share], "EvaluationPeriods": 1, "Threshold": 40.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold", "StateValue": "OK",
    }  # fmt: skip
    state, reason = state_of(alarm, read)
    assert state == "ALARM"
    assert "[1, 40, -]" in reason


def test_a_query_request_is_read_as_a_tree() -> None:
    """Members of lists keep their order, numbers and truth values are such."""
    request = {
        "AlarmName": ["a"], "Threshold": ["5.5"], "ActionsEnabled": ["true"],
        "Metrics.member.2.Id": ["second"], "Metrics.member.1.Id": ["first"],
        "Metrics.member.1.MetricStat.Period": ["60"],
        "Metrics.member.1.MetricStat.Metric.Dimensions.member.1.Name": ["service"],
        "AlarmActions.member.1": ["arn:aws:sns:r:a:t"],
    }  # fmt: skip
    assert typed(structured(request)) == {
        "AlarmName": "a",
        "Threshold": 5.5,
        "ActionsEnabled": True,
        "Metrics": [
            {
                "Id": "first",
                "MetricStat": {"Period": 60, "Metric": {"Dimensions": [{"Name": "service"}]}},
            },
            {"Id": "second"},
        ],
        "AlarmActions": ["arn:aws:sns:r:a:t"],
    }


def test_an_answer_in_the_query_protocol_leaves_nothing_out() -> None:
    """Every member is written, text escaped, times as ISO 8601, and null not at all."""
    alarm = {"AlarmName": "a<b", "Unit": None, "Threshold": 1.0, "ActionsEnabled": True,
             "StateUpdatedTimestamp": 0, "Metrics": [{"Id": "m"}]}  # fmt: skip

    def describe(*_: Any) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, json.dumps({"MetricAlarms": [alarm]}).encode()

    def xml(status: int, root: str, inner: str) -> tuple[int, dict[str, str], bytes]:
        return status, {}, f"{root}:{inner}".encode()

    status, _, body = describing_all(describe, xml)({}, {}, is_cbor=False)
    assert status == 200
    assert body.decode() == (
        "DescribeAlarmsResponse:<DescribeAlarmsResult><MetricAlarms><member>"
        "<AlarmName>a&lt;b</AlarmName><Threshold>1.0</Threshold><ActionsEnabled>true</ActionsEnabled>"
        "<StateUpdatedTimestamp>1970-01-01T00:00:00+00:00</StateUpdatedTimestamp>"
        "<Metrics><member><Id>m</Id></member></Metrics>"
        "</member></MetricAlarms></DescribeAlarmsResult>"
    )
    assert as_xml([1, "x"]) == "<member>1</member><member>x</member>"


def test_a_queue_is_measured_when_it_changes_and_every_minute() -> None:
    """A steady queue costs one figure a minute."""
    now = [0.0]
    published = Published(lambda: now[0])
    messages = [{"visible_at": 50, "sent_at": 40}, {"visible_at": 500, "sent_at": 30}]
    figures = figures_of(messages, 100.0)
    assert figures == {
        "ApproximateNumberOfMessagesVisible": 1,
        "ApproximateAgeOfOldestMessage": 70,
    }
    assert dict(published.due("q", figures)) == figures
    now[0] = 59.0
    assert dict(published.due("q", figures)) == {}
    assert dict(published.due("q", figures_of([], 1.0))) == dict.fromkeys(figures, 0)
    now[0] = 200.0
    assert len(dict(published.due("q", figures_of([], 1.0)))) == 2


@pytest.mark.engine
def test_an_alarm_rings_is_told_and_ends(engine) -> None:
    """On the engine: other dimensions do not count, the topic is told of both changes."""
    name = f"rings-{uuid4().hex[:8]}"
    cloudwatch, sns, sqs = (engine.client(each) for each in ("cloudwatch", "sns", "sqs"))
    topic = sns.create_topic(Name=name)["TopicArn"]
    watched = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:000000000000:{name}-told"
    statement = {
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage", "Resource": arn,
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    told = sqs.create_queue(QueueName=f"{name}-told", Attributes={"Policy": policy})["QueueUrl"]
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )
    cloudwatch.put_metric_alarm(
        AlarmName=name, Namespace="AWS/SQS", MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": name}], Statistic="Maximum", Period=10,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="ignore", AlarmActions=[topic], OKActions=[topic],
    )  # fmt: skip

    def state() -> str:
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        found: str = alarm["StateValue"]
        return found

    wait_until(lambda: state() == "OK", 30)
    sqs.send_message(QueueUrl=watched, MessageBody="dead")
    wait_until(lambda: state() == "ALARM", 30)
    sqs.purge_queue(QueueUrl=watched)
    wait_until(lambda: state() == "OK", 60)
    messages = sqs.receive_message(QueueUrl=told, MaxNumberOfMessages=10, WaitTimeSeconds=5)
    states = [json.loads(message["Body"])["NewStateValue"] for message in messages["Messages"]]
    assert sorted(states) == ["ALARM", "OK", "OK"]
