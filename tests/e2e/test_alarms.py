"""Alarms as Terraform makes them: each rings for what it is there for, on the deployed pipeline.

The engine judges them by CloudWatch's rules (millrace_local.shims.alarm_state). Where only time
brings an alarm about (a threshold of minutes, several hours in a row), a copy rings in its stead:
the same metric, dimensions, statistic and comparison, with a threshold or a number of periods that
a test can wait for. The figures are the pipeline's own, none is put by the test.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from pipeline import RINGS_S, SCHEDULED

from millrace_local.shims.alarm_state import state_of
from millrace_testing.wait import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

REPORTING = {"residue", "missing-export"}
"""What silence is told of, too."""
# Published only when a discarded batch cannot be delivered, and when a replay is worked on (which
# test_a_failed_replay_rings does): never while nothing is discarded and nothing replayed.
NOT_HERE = {"discards-undelivered", "failed-replay"}
_COPIED = {
    "MetricName", "Namespace", "Dimensions", "Statistic", "Period", "EvaluationPeriods",
    "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData",
}  # fmt: skip


@pytest.fixture
def copied(cloudwatch, alarms) -> Iterator[Callable[..., str]]:
    """Make a copy of an alarm with other members, and return its name; gone after the test."""
    names = []

    def copy(key: str, **other: Any) -> str:
        names.append(f"copy-{key}-{uuid4().hex[:8]}")
        members = {name: alarms[key][name] for name in _COPIED if alarms[key].get(name) is not None}
        cloudwatch.put_metric_alarm(**members | other, AlarmName=names[-1])
        return names[-1]

    yield copy
    cloudwatch.delete_alarms(AlarmNames=names)


@contextmanager
def stopped(pipeline, service: str) -> Iterator[None]:
    """Keep a function from its queue for a while."""
    client = pipeline.deployed.client("lambda")
    name = pipeline.outputs["functions"][service]
    (mapping,) = client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def series(alarm: Mapping[str, Any], share: float) -> Callable[..., Sequence[float | None]]:
    """Return figures that are this share of what an alarm rings for, in every period."""

    def read(metric: Mapping[str, Any], _stat: str, _period: int, count: int) -> Sequence[float]:
        figure = alarm["Threshold"] * share
        if alarm.get("Metrics"):  # a percentage of what was received
            counts = {"RecordsReceived": 1000.0, "EventsAccepted": 1000.0 - 10 * figure}
            figure = counts.get(metric["MetricName"], 0.0)
        return [figure] * count

    return read


def test_alarms_compare_as_they_should(alarms, pipeline):
    """At its threshold each rings, below it none does; silence tells of who must report alone."""
    topic = pipeline.outputs["alarm_topic_arn"]
    for key, alarm in alarms.items():
        assert state_of(alarm, series(alarm, 1.0))[0] == "ALARM", key
        assert state_of(alarm, series(alarm, 0.99))[0] == "OK", key
        silent, _ = state_of({**alarm, "StateValue": "OK"}, lambda *of: [None] * of[3])
        assert silent == ("INSUFFICIENT_DATA" if key in REPORTING else "OK"), key
        told = [alarm[name] for name in ("AlarmActions", "OKActions")]
        assert told == [[topic], [topic]], key
        assert alarm["InsufficientDataActions"] == ([topic] if key in REPORTING else []), key


def test_dead_letters_ring(pipeline, alarms, rings):
    """A message in any dead-letter queue rings the alarm of that queue."""
    sqs = pipeline.deployed.client("sqs")
    dead = pipeline.outputs["dlq_urls"]
    watched = {key for key in alarms if key.startswith("dlq-")}
    assert watched == {f"dlq-{queue}" for queue in dead}
    try:
        for url in dead.values():
            sqs.send_message(QueueUrl=url, MessageBody="no reference")
        for key in sorted(watched):
            rings(alarms[key]["AlarmName"])
    finally:
        for url in dead.values():
            sqs.purge_queue(QueueUrl=url)


def test_errors_and_throttles_ring(pipeline, alarms, rings, invoke):
    """A function that fails, and one that Lambda refuses to call."""
    client = pipeline.deployed.client("lambda")
    errors, throttles = alarms["errors-export"], alarms["throttles-export"]
    for _ in range(int(errors["Threshold"])):
        assert invoke("export", {"hours": "neither a list nor an hour"})["FunctionError"]
    name = pipeline.outputs["functions"]["export"]
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        for _ in range(int(throttles["Threshold"])):
            with pytest.raises(ClientError, match="TooManyRequestsException"):
                invoke("export", SCHEDULED)
    finally:
        client.delete_function_concurrency(FunctionName=name)
    rings(errors["AlarmName"])
    rings(throttles["AlarmName"])


def test_rejects_ring(pipeline, alarms, rings):
    """One in twenty records of five minutes, whatever else came in meanwhile."""
    kinesis = pipeline.deployed.client("kinesis")
    before = pipeline.status()["counts"]["received"]
    bad = [{"Data": b"no event", "PartitionKey": str(n)} for n in range(500)]
    for _ in range(6):
        answer = kinesis.put_records(StreamName=pipeline.outputs["stream_name"], Records=bad)
        assert answer["FailedRecordCount"] == 0
    rings(alarms["rejects"]["AlarmName"])
    pipeline.settled(before + 3000)


def test_a_failed_replay_rings(pipeline, alarms, rings, tmp_path):
    """What was planned is not there any more when it is to be sent."""
    source = f"failed-{uuid4().hex[:8]}"
    event = {
        "event_type": "visit", "entity_id": source, "event_id": source, "source": source,
        "event_time": "2016-03-01T10:00:00Z",
    }  # fmt: skip
    file = tmp_path / "event.ndjson"
    file.write_text(json.dumps(event) + "\n")
    before = pipeline.put(file)
    pipeline.settled(before["received"] + 1)
    window = ("--from", "2016-03-01T10:00:00Z", "--to", "2016-03-01T11:00:00Z", "--source", source)
    plan = json.loads(pipeline.millrace("replay", "plan", *window, "--json"))
    s3, bucket = pipeline.deployed.client("s3"), pipeline.outputs["data_bucket"]
    (found,) = s3.list_objects_v2(Bucket=bucket, Prefix=f"replays/{plan['plan_id']}/")["Contents"]
    s3.put_object(Bucket=bucket, Key=found["Key"], Body=b"not what was planned")
    started = json.loads(pipeline.millrace("replay", "apply", plan["plan_id"], "--json"))
    rings(alarms["failed-replay"]["AlarmName"])
    status = json.loads(pipeline.millrace("replay", "status", started["replay_id"], "--json"))
    assert status["state"] == "failed"


def test_what_takes_its_time_rings(pipeline, rings, copied, invoke):
    """Ingest's lag, a commit that archive does not finish, and so an hour without its files."""
    entity = f"late-{uuid4().hex[:8]}"
    received = pipeline.status()["counts"]["received"]
    behind = copied("iterator-age", Threshold=1, EvaluationPeriods=1, DatapointsToAlarm=1)
    unfinished = copied("residue", Threshold=1, EvaluationPeriods=1, DatapointsToAlarm=1)
    missing = copied("missing-export", EvaluationPeriods=1, DatapointsToAlarm=1)

    def put(number: int) -> None:
        event = {
            "event_type": "visit", "entity_id": entity, "event_id": f"{entity}-{number}",
            "event_time": "2016-02-29T10:00:00Z", "source": "alarms",
        }  # fmt: skip
        pipeline.deployed.client("kinesis").put_record(
            StreamName=pipeline.outputs["stream_name"],
            PartitionKey=entity,
            Data=json.dumps(event).encode(),
        )

    put(1)
    pipeline.settled(received + 1)  # the hour is on export's list now
    rings(behind)
    with stopped(pipeline, "archive"):
        put(2)

        def waits_for_archive() -> bool:
            counts = pipeline.status()["counts"]
            return bool(counts["aggregated"] > counts["archived"])

        wait_until(waits_for_archive, RINGS_S, 0.5)

        def reported() -> bool:
            answer = json.loads(invoke("watch", SCHEDULED)["Payload"].read())
            return bool(answer["oldest_unfinished_age_s"] > 1)

        wait_until(reported, RINGS_S, 0.5)
        rings(unfinished)
        answer = json.loads(invoke("export", SCHEDULED)["Payload"].read())
        assert "provisional" in {hour["status"] for hour in answer["hours"]}
        rings(missing)
    pipeline.settled(received + 2)


def test_every_metric_exists(pipeline, alarms, cloudwatch, invoke):
    """What an alarm names is published under that very name and those dimensions.

    An alarm on a misspelt metric never rings, and nothing else would say so.
    """
    for service in pipeline.outputs["functions"]:
        invoke(service, {})  # most fail at once; each publishes its errors and throttles
    missing = []
    for key, alarm in alarms.items():
        queries = [each["MetricStat"]["Metric"] for each in alarm.get("Metrics", [])
                   if "MetricStat" in each] or [alarm]  # fmt: skip
        for metric in queries:
            found = cloudwatch.get_metric_statistics(
                Namespace=metric["Namespace"], MetricName=metric["MetricName"],
                Dimensions=metric["Dimensions"], Statistics=["SampleCount"], Period=86400,
                StartTime=datetime(2020, 1, 1, tzinfo=UTC),
                EndTime=datetime(2100, 1, 1, tzinfo=UTC),
            )  # fmt: skip
            if not found["Datapoints"]:
                missing.append((key, metric["MetricName"]))
    assert {key for key, _ in missing} <= NOT_HERE, missing


def test_the_dashboard_shows_every_alarm(pipeline, cloudwatch, alarms):
    """The dashboard is there, and its alarms are those that there are."""
    body = cloudwatch.get_dashboard(DashboardName=pipeline.outputs["dashboard"])["DashboardBody"]
    (shown,) = (each for each in json.loads(body)["widgets"] if each["type"] == "alarm")
    arns = {alarm["AlarmArn"] for alarm in alarms.values()}
    assert set(shown["properties"]["alarms"]) == arns
