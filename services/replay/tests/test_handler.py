"""Lambda's shapes, from AWS's own samples, through the wired worker on moto."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from millrace.aws.ledger import DynamoLedger
from millrace.aws.objects import S3Objects
from millrace.aws.queue import SqsBatches, SqsQueue
from millrace.aws.replays import DynamoReplays
from millrace.clock import SystemClock
from millrace.commit import Checkpoint
from millrace.errors import ConfigError
from millrace.keys import plan_chunk_key
from millrace.raw_lines import pack
from millrace.replay.message import ReplayMessage
from millrace.replay.operations import Operations, Order, work_body
from millrace.replay.plan import chunk_of
from millrace.replay.planned import PlannedEvent
from millrace.replay.progress import ProcessedObject, place_hash
from millrace.replay.record import Replay, ReplayState
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes, index_entry, sqs_event
from millrace_testing.fakes import FixedClock
from millrace_testing.lambda_context import lambda_context
from millrace_testing.replays import replay_plan
from millrace_testing.tables import COMMITS, REPLAYS, create_table
from replay import handler as entry
from replay.adapters import MonotonicStopwatch, Pipeline
from replay.domain import LAG_HORIZON_S, Signs

FIXTURES = Path(__file__).parents[4] / "shared" / "data" / "lambda-event-fixtures"
OFFICIAL = [
    "powertools-python/sqsEvent.json",
    "aws-lambda-go/sqs-event.json",
    "aws-lambda-dotnet/sqs-event.json",
    "aws-sam-cli/Sqs.json",
]
PLAN_ID = "20251228T093000Z-0a1b2c3d"
EVENTS = 25
SECRET = "s3cr3t-entity"


@dataclass
class Deployment:
    """What Terraform makes for replay, on moto."""

    replays: DynamoReplays
    operations: Operations
    sqs: Any
    queue_url: str
    work_url: str

    def apply(self, **fields: Any) -> Replay:
        order = Order("ana", "to see", 10_000, again=True, **fields)
        return self.operations.apply(PLAN_ID, order)

    def sent(self) -> list[ReplayMessage]:
        return [ReplayMessage.parse(body) for body in self.received(self.queue_url)]

    def received(self, url: str) -> list[str]:
        bodies: list[str] = []
        while got := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            bodies += [each["Body"] for each in got]
        return bodies

    def process(self, replay: Replay) -> None:
        """Count what was sent, as enrich and aggregate do."""
        places = frozenset(place_hash(each.place) for each in self.sent())
        self.replays.list_object(
            replay.replay_id, ProcessedObject("o", "enriched/o", places, counted=False)
        )
        self.replays.mark_counted(replay.replay_id, "o", 1)


@pytest.fixture
def deployment(aws, monkeypatch) -> Iterator[Deployment]:
    dynamodb, s3, sqs = (boto3.client(name) for name in ("dynamodb", "s3", "sqs"))
    create_table(dynamodb, "commits", COMMITS)
    create_table(dynamodb, "replays", REPLAYS)
    s3.create_bucket(Bucket="data")
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("replay", "work")]
    for name, value in {
        "DATA_BUCKET": "data",
        "COMMITS_TABLE": "commits",
        "NOTES_TABLE": "notes",
        "REPLAYS_TABLE": "replays",
        "REPLAY_QUEUE_URL": urls[0],
        "REPLAY_WORK_QUEUE_URL": urls[1],
    }.items():
        monkeypatch.setenv(name, value)
    replays = DynamoReplays(dynamodb, "replays")
    store_plan(replays, S3Objects(s3, "data"))
    operations = Operations(replays, SqsQueue(sqs, urls[1]), urls[0], SystemClock())
    entry.handler.forget_service()
    yield Deployment(replays, operations, sqs, *urls)
    entry.handler.forget_service()


def store_plan(replays: DynamoReplays, objects: S3Objects) -> None:
    commit, _ = commit_of([event_bytes(n) for n in range(EVENTS)])
    entries = [index_entry(n, line=n, entity_id=SECRET) for n in range(EVENTS)]
    lines = [PlannedEvent.of(each, commit).to_line() for each in entries]
    key, body = plan_chunk_key(PLAN_ID, 0), pack(lines).body
    objects.put_new(key, body)
    chunks = (chunk_of(key, lines, body),)
    replays.save_plan(replay_plan(PLAN_ID, events=EVENTS, chunks=chunks))


@pytest.fixture
def official() -> Callable[[str], dict[str, Any]]:
    """AWS's sample of a batch, by name."""
    if not FIXTURES.is_dir():
        pytest.skip("../shared/data is not beside this checkout")
    return lambda name: json.loads((FIXTURES / name).read_text(encoding="utf-8-sig"))


def invoke(event: dict[str, Any], remaining_ms: int = 30_000) -> dict[str, Any]:
    answer: dict[str, Any] = entry.handler(event, lambda_context(remaining_ms))
    return answer


@pytest.mark.batch
@pytest.mark.parametrize("name", OFFICIAL)
def test_official_samples_that_name_a_replay(deployment, official, name):
    """AWS's sample events, their bodies replaced by wake-ups, send each replay's events."""
    event = official(name)
    replays = []
    for record in event["Records"]:
        replays.append(deployment.apply())
        record["body"] = work_body(replays[-1].replay_id)
    assert invoke(event) == {"batchItemFailures": []}
    for replay in replays:
        found = deployment.replays.replay(replay.replay_id)
        assert (found.state, found.cursor.sent) == (ReplayState.SENT, EVENTS)
    sent = deployment.sent()
    assert len(sent) == EVENTS * len(replays)
    assert {(each.replay_id, each.version) for each in sent} == {
        (each.replay_id, each.version) for each in replays
    }


@pytest.mark.batch
@pytest.mark.parametrize("name", OFFICIAL)
def test_official_samples_as_they_are(deployment, official, name):
    """A body that names no replay is reported by its message id, for the dead-letter queue."""
    event = official(name)
    assert invoke(event) == {
        "batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in event["Records"]]
    }
    assert deployment.sent() == []


@pytest.mark.batch
def test_a_bad_message_fails_alone(deployment):
    """Of three the unknown and the malformed one are reported, and the other is done."""
    good = work_body(deployment.apply().replay_id)
    answer = invoke(sqs_event([work_body("nobody"), good, "{}"]))
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == [
        "message-0",
        "message-2",
    ]
    assert len(deployment.sent()) == EVENTS


@pytest.mark.batch
def test_a_replay_runs_to_its_end(deployment):
    """From apply over its wake-ups to completed; a delivery too many changes nothing."""
    replay = deployment.apply()
    (wake_up,) = deployment.received(deployment.work_url)
    invoke(sqs_event([wake_up]))
    deployment.process(replay)
    for _ in range(2):
        assert invoke(sqs_event([wake_up])) == {"batchItemFailures": []}
        status = deployment.operations.status(replay.replay_id)
        assert status.replay.state is ReplayState.COMPLETED
        assert [each.result for each in status.audit][1:] == [f"{EVENTS} counted, 0 skipped"]
    assert deployment.sent() == []


@pytest.mark.batch
def test_a_failed_replay_is_an_error_and_no_message_of_it_comes_again(deployment, capsys):
    """Its plan cannot be read any more: counted, so that an alarm can tell, and given up."""
    replay = deployment.apply()
    (chunk, *_) = deployment.replays.plan(replay.plan_id).chunks
    boto3.client("s3").put_object(Bucket="data", Key=chunk.key, Body=b"another")
    body = work_body(replay.replay_id)
    assert invoke(sqs_event([body])) == {"batchItemFailures": []}
    lines = capsys.readouterr().out.splitlines()
    emf = next(json.loads(line) for line in lines if '"_aws"' in line)
    assert (sum(emf["ReplayErrors"]), emf["ReplaysFailed"]) == (1, [1.0])
    assert deployment.replays.replay(replay.replay_id).state is ReplayState.FAILED


@pytest.mark.batch
def test_little_time_is_still_used(deployment):
    """With less time left than is kept in reserve a turn makes some way all the same."""
    replay = deployment.apply()
    assert invoke(sqs_event([work_body(replay.replay_id)]), remaining_ms=10) == {
        "batchItemFailures": []
    }
    assert deployment.replays.replay(replay.replay_id).cursor.sent > 0


@pytest.mark.batch
def test_metrics_and_logs(deployment, capsys, caplog):
    """The batch's figures go out as EMF; logs carry ids and never a payload."""
    replay = deployment.apply()
    invoke(sqs_event([work_body(replay.replay_id), '{"entity_id": "' + SECRET + '"}', SECRET]))
    lines = capsys.readouterr().out.splitlines()
    emf = next(json.loads(line) for line in lines if '"_aws"' in line)
    assert (emf["ReplayMessagesSent"], emf["ReplayErrors"]) == ([float(EVENTS)], [2.0])
    assert (emf["ReferencesSucceeded"], emf["ReferencesFailed"]) == ([1.0], [2.0])
    assert (emf["ReplaysCompleted"], emf["ReplaysFailed"]) == ([0.0], [0.0])
    (done,) = (each for each in caplog.records if each.message == "replay worked on")
    assert (done.replay_id, done.sent, done.state) == (replay.replay_id, EVENTS, "sent")
    stopped = [each for each in caplog.records if each.message == "replay stopped"]
    assert [each.message_id for each in stopped] == ["message-1", "message-2"]
    assert not any(SECRET in str(vars(each)) + str(each.exc_info) for each in caplog.records)
    deployment.process(replay)
    invoke(sqs_event([work_body(replay.replay_id)]))
    lines = capsys.readouterr().out.splitlines()
    emf = next(json.loads(line) for line in lines if '"_aws"' in line)
    assert (emf["ReplaysCompleted"], emf["ReplayMessagesSent"]) == ([1.0], [0.0])


def test_a_missing_setting_fails_every_invocation(deployment, monkeypatch, capsys):
    """An incomplete environment is named, counted, and mended without a new cold start."""
    wake_up = work_body(deployment.apply().replay_id)
    monkeypatch.delenv("REPLAYS_TABLE")
    for _ in range(2):
        with pytest.raises(ConfigError, match="REPLAYS_TABLE"):
            invoke(sqs_event([wake_up]))
    assert capsys.readouterr().out.count('"ReplayErrors":[1.0]') == 2
    monkeypatch.setenv("REPLAYS_TABLE", "replays")
    assert invoke(sqs_event([wake_up])) == {"batchItemFailures": []}


def test_importing_needs_no_environment():
    """The module can be imported with an empty environment and makes no client."""
    code = "import replay.handler, boto3; assert boto3.DEFAULT_SESSION is None"
    done = subprocess.run([sys.executable, "-c", code], env={}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_signs_are_seen(deployment):
    """Commits that wait behind the bound, messages, and throttles of the last half minute."""
    clock = FixedClock(ARRIVAL)
    ledger = DynamoLedger(boto3.client("dynamodb"), "commits")
    queue = SqsBatches(deployment.sqs, deployment.queue_url)
    pipeline = Pipeline(ledger, queue, deployment.replays, clock, timedelta(seconds=29))
    replay = deployment.apply()
    assert pipeline.signs(replay) == Signs()
    commit, _ = commit_of([event_bytes(1)])
    assert ledger.commit(ledger.read(SHARD), Checkpoint(1, 100, ()), commit)
    queue.send_all(["a", "b"])
    deployment.replays.note_pressure(replay.replay_id, int(ARRIVAL.timestamp() * 1000))
    clock.advance(timedelta(seconds=28))
    assert pipeline.signs(replay).live_ages_s == ()
    clock.advance(timedelta(seconds=1))
    assert pipeline.signs(replay) == Signs((29,), backlog=2, throttled=True)
    clock.advance(timedelta(seconds=1))
    assert pipeline.signs(replay) == Signs((30,), backlog=2, throttled=False)
    clock.advance(timedelta(seconds=LAG_HORIZON_S))
    assert pipeline.signs(replay) == Signs(backlog=2)


def test_time_passes():
    """The stopwatch goes on by at least what was waited."""
    stopwatch = MonotonicStopwatch()
    before = stopwatch.elapsed_s()
    stopwatch.wait(0.01)
    assert stopwatch.elapsed_s() - before >= 0.01
