"""Lambda's shapes, from AWS's own samples, through the wired service on moto."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from enrich import handler as entry
from enrich.bootstrap import Enrichers
from millrace.assignments import EntityAssignment
from millrace.aws.assignments import AssignmentsWriter
from millrace.aws.ledger import DynamoLedger
from millrace.aws.ledger_items import to_attributes
from millrace.aws.objects import S3Objects
from millrace.aws.replays import DynamoReplays
from millrace.commit import Checkpoint, Stage
from millrace.enriched import EnrichedEvent
from millrace.errors import ConfigError, RetryableError
from millrace.raw_lines import unpack
from millrace.reference import EnrichedReference, Reference
from millrace.replay.planned import PlannedEvent
from millrace.replay.progress import Progress, progress_of
from millrace.replay.reference import ReplayReference
from millrace.times import parse_rfc3339
from millrace_testing.builders import SHARD, commit_of, event_bytes, index_entry, sqs_event
from millrace_testing.lambda_context import lambda_context
from millrace_testing.replays import REPLAY_ID, REPLAY_VERSION, audit_entry, replay_record
from millrace_testing.tables import (
    ASSIGNMENTS,
    COMMITS,
    EVENT_INDEX,
    EXPERIMENTS,
    REPLAYS,
    create_table,
)

FIXTURES = Path(__file__).parents[4] / "shared" / "data" / "lambda-event-fixtures"
OFFICIAL = [
    "powertools-python/sqsEvent.json",
    "aws-lambda-go/sqs-event.json",
    "aws-lambda-dotnet/sqs-event.json",
    "aws-sam-cli/Sqs.json",
]
REPLAY_QUEUE_ARN = "arn:aws:sqs:us-east-2:123456789012:replay"
DEFINITIONS = (
    b'[[metric]]\nname = "events"\nkind = "count"\ndimensions = ["type"]\nwindows = ["day"]\n'
)


@dataclass
class Deployment:
    """What Terraform makes for enrich, on moto."""

    ledger: DynamoLedger
    objects: S3Objects
    sqs: Any
    queue_urls: list[str]

    def commit(self, first_seq: int = 100) -> Reference:
        """Store a commit of two events as ingest does; return its reference."""
        lines = [event_bytes(first_seq), event_bytes(first_seq + 1)]
        commit, raw = commit_of(lines, first_seq=first_seq)
        self.objects.put_new(str(commit.head.raw_key), raw)
        before = self.ledger.read(SHARD)
        assert self.ledger.commit(before, Checkpoint(before.version + 1, first_seq + 1, ()), commit)
        return Reference.to(commit.head)

    def messages(self) -> list[list[str]]:
        """Take what each queue holds."""
        return [
            [
                message["Body"]
                for message in self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
                    "Messages", []
                )
            ]
            for url in self.queue_urls
        ]


@pytest.fixture
def deployment(aws, monkeypatch) -> Iterator[Deployment]:
    dynamodb, sqs, s3 = boto3.client("dynamodb"), boto3.client("sqs"), boto3.client("s3")
    for name, schema in (
        ("commits", COMMITS),
        ("assignments", ASSIGNMENTS),
        ("experiments", EXPERIMENTS),
        ("event_index", EVENT_INDEX),
        ("replays", REPLAYS),
    ):
        create_table(dynamodb, name, schema)
    s3.create_bucket(Bucket="data")
    s3.put_object(Bucket="data", Key="config/metrics-1.toml", Body=DEFINITIONS)
    dynamodb.put_item(
        TableName="experiments", Item=to_attributes({"experiment_id": "e1", "owner": "x"})
    )
    writer = AssignmentsWriter(dynamodb, "assignments")
    assigned = EntityAssignment("e1", "A", parse_rfc3339("2025-12-01T00:00:00Z"))
    writer.assign("user_2", [assigned])
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("aggregate", "archive")]
    for name, value in {
        "DATA_BUCKET": "data",
        "COMMITS_TABLE": "commits",
        "NOTES_TABLE": "notes",
        "ASSIGNMENTS_TABLE": "assignments",
        "EXPERIMENTS_TABLE": "experiments",
        "EVENT_INDEX_TABLE": "event_index",
        "AGGREGATE_QUEUE_URL": urls[0],
        "ARCHIVE_QUEUE_URL": urls[1],
        "REPLAY_QUEUE_ARN": REPLAY_QUEUE_ARN,
        "REPLAYS_TABLE": "replays",
        "METRICS_KEY": "config/metrics-1.toml",
    }.items():
        monkeypatch.setenv(name, value)
    entry.handler.forget_service()
    yield Deployment(DynamoLedger(dynamodb, "commits"), S3Objects(s3, "data"), sqs, urls)
    entry.handler.forget_service()


@pytest.fixture
def official() -> Callable[[str], dict[str, Any]]:
    """AWS's sample of a batch, by name."""
    if not FIXTURES.is_dir():
        pytest.skip("../shared/data is not beside this checkout")
    return lambda name: json.loads((FIXTURES / name).read_text(encoding="utf-8-sig"))


def invoke(event: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = entry.handler(event, lambda_context())
    return answer


@pytest.mark.batch
@pytest.mark.parametrize("name", OFFICIAL)
def test_official_samples_with_a_reference(deployment, official, name):
    """AWS's sample events, their bodies replaced by references, are enriched."""
    event = official(name)
    references = []
    for number, record in enumerate(event["Records"]):
        references.append(deployment.commit(100 * (number + 1)))
        record["body"] = references[-1].to_json()
    assert invoke(event) == {"batchItemFailures": []}
    for reference in references:
        mark = deployment.ledger.head(reference.shard, reference.first_seq).marks[Stage.ENRICHED]
        assert mark["events"] == 2
    for bodies in deployment.messages():
        got = [EnrichedReference.parse(body).commit_id for body in bodies]
        assert sorted(got) == sorted(each.commit_id for each in references)


@pytest.mark.batch
@pytest.mark.parametrize("name", OFFICIAL)
def test_official_samples_as_they_are(deployment, official, name):
    """A body that is no reference is reported by its message id, for the dead-letter queue."""
    event = official(name)
    assert invoke(event) == {
        "batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in event["Records"]]
    }
    assert deployment.messages() == [[], []]


@pytest.mark.batch
def test_a_bad_message_fails_alone(deployment):
    """Of five messages the two bad ones are reported, the others done and sent on."""
    good = [deployment.commit(first_seq) for first_seq in (100, 200)]
    absent = Reference("1a2b3c4d-x-9", SHARD, 9, "raw/none", "corr")
    bodies = ["{}", good[0].to_json(), absent.to_json(), good[1].to_json(), good[0].to_json()]
    answer = invoke(sqs_event(bodies))
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == [
        "message-0",
        "message-2",
    ]
    for bodies in deployment.messages():
        assert {EnrichedReference.parse(body).commit_id for body in bodies} == {
            each.commit_id for each in good
        }


@pytest.mark.batch
def test_rows_are_stamped_and_assigned(deployment):
    """Through the real adapters a row has its assignment; its definitions can be found."""
    reference = deployment.commit()
    invoke(sqs_event([reference.to_json()]))
    (body,), _ = deployment.messages()
    sent = EnrichedReference.parse(body)
    first, second = map(EnrichedEvent.from_line, unpack(deployment.objects.get(sent.enriched_key)))
    assert [each.variant for each in first.assignments] == ["A"]
    assert first.experiments == {"e1": {"owner": "x"}}
    assert second.assignments == ()
    assert deployment.objects.get(f"definitions/{sent.defs_version}.toml") == DEFINITIONS


@pytest.fixture
def replaying(deployment) -> Callable[[], list[str]]:
    """A replay of two committed events; returns the bodies of its messages."""
    ledger = DynamoReplays(boto3.client("dynamodb"), "replays")
    ledger.start(replay_record(), audit_entry())
    reference = deployment.commit()
    commit = deployment.ledger.load(reference.shard, reference.first_seq)
    entries = [index_entry(100 + line, line=line) for line in range(2)]
    planned = [PlannedEvent.of(entry, commit) for entry in entries]
    messages = [each.message("data", REPLAY_ID, REPLAY_VERSION) for each in planned]
    return lambda: [each.to_json() for each in messages]


def from_replay_queue(event: dict[str, Any], bodies: list[str]) -> dict[str, Any]:
    """AWS's sample of one record, once for each body, as the replay queue's mapping sends it."""
    record = event["Records"][0]
    return {
        "Records": [
            record | {"messageId": f"m{n}", "body": body, "eventSourceARN": REPLAY_QUEUE_ARN}
            for n, body in enumerate(bodies)
        ]
    }


@pytest.mark.parametrize("name", OFFICIAL)
def test_official_samples_from_the_replay_queue(deployment, official, replaying, name):
    """Told by the queue's ARN, messages become one listed object and one reference to it."""
    missing = replaying()[0].replace("raw/", "raw/none/")
    bodies = [*replaying(), missing, "not JSON"]
    assert invoke(from_replay_queue(official(name), bodies)) == {"batchItemFailures": []}
    (body,), archived = deployment.messages()
    assert archived == []
    sent = ReplayReference.parse(body)
    lines = unpack(deployment.objects.get(sent.enriched_key))
    rows = {row.event_id: row for row in map(EnrichedEvent.from_line, lines)}
    assert set(rows) == {"event-100", "event-101"}
    assert [each.variant for each in rows["event-100"].assignments] == ["A"]
    ledger = DynamoReplays(boto3.client("dynamodb"), "replays")
    objects, skipped = list(ledger.objects(REPLAY_ID)), list(ledger.skipped(REPLAY_ID))
    assert progress_of(objects, skipped) == Progress(enriched=2, counted=0, skipped=1)
    assert [each.reason for each in skipped] == ["object_missing"]


def test_the_figures_of_a_replay(deployment, official, replaying, capsys, caplog):
    """Counted beside those of live batches, not among them; skips are logged without payloads."""
    bodies = [*replaying(), '{"s3cr3t": 1']
    invoke(from_replay_queue(official(OFFICIAL[0]), bodies))
    emf = next(
        json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line
    )
    assert (emf["ReplayedEventsEnriched"], emf["ReplayedEventsSkipped"]) == ([2.0], [1.0])
    assert (emf["ProcessorMessageCount"], emf["ProcessorErrorCount"]) == ([3.0], [1.0])
    assert (emf["EventsEnriched"], emf["EnrichErrors"]) == ([0.0], [0.0])
    assert emf["ReferencesSucceeded"] == [0.0]
    (skip,) = (each for each in caplog.records if each.message == "replayed event skipped")
    assert (skip.reason, skip.message_id) == ("malformed_message", "m2")
    assert not any("s3cr3t" in str(vars(each)) for each in caplog.records)


def test_what_cannot_be_sent_comes_again(deployment, official, replaying, caplog):
    """Without the aggregate queue no message is deleted, and the failure is logged once."""
    deployment.sqs.delete_queue(QueueUrl=deployment.queue_urls[0])
    answer = invoke(from_replay_queue(official(OFFICIAL[0]), replaying()))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]}
    (failed,) = (each for each in caplog.records if each.message == "replay messages failed")
    assert failed.message_ids == ["m0", "m1"]


@pytest.mark.batch
def test_metrics_and_logs(deployment, capsys, caplog):
    """The batch's figures go out as EMF; logs carry ids and never a payload."""
    reference = deployment.commit()
    invoke(sqs_event([reference.to_json(), '{"v": 1, "commit_id": "s3cr3t"}']))
    emf = next(
        json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line
    )
    assert emf["EventsEnriched"] == [2.0]
    assert (emf["EnrichErrors"], emf["ReferencesSucceeded"]) == ([1.0], [1.0])
    assert (emf["EntitiesUnassigned"], emf["ExperimentsUnknown"]) == ([1.0], [0.0])
    assert (emf["AssignmentsMalformed"], emf["EventsBeforeAssignment"]) == ([0.0], [0.0])
    (done,) = (each for each in caplog.records if each.message == "reference done")
    assert (done.commit_id, done.correlation_id) == (reference.commit_id, "corr-1")
    assert done.entities_unassigned == 1
    assert not any("s3cr3t" in str(vars(each)) for each in caplog.records)


def test_a_missing_setting_fails_every_invocation(deployment, monkeypatch, capsys):
    """An incomplete environment is named, counted, and mended without a new cold start."""
    reference = deployment.commit()
    monkeypatch.delenv("METRICS_KEY")
    for _ in range(2):
        with pytest.raises(ConfigError, match="METRICS_KEY"):
            invoke(sqs_event([reference.to_json()]))
    assert capsys.readouterr().out.count('"EnrichErrors":[1.0]') == 2
    monkeypatch.setenv("METRICS_KEY", "config/metrics-1.toml")
    assert invoke(sqs_event([reference.to_json()])) == {"batchItemFailures": []}


@pytest.mark.batch
def test_keys_that_stay_unread_fail_their_message_alone(new_world):
    """A lookup that is throttled to the end is delivered again; nothing short is stored before."""
    world = new_world()

    class ThrottledOnce:
        def __init__(self):
            self.asked = 0

        def of(self, entities):
            self.asked += 1
            if self.asked == 1:
                raise RetryableError("BatchGetItem assignments: keys unread after 8 attempts: 3")
            return world.assignments.of(entities)

    live = replace(world.service, assignments=ThrottledOnce())
    service = Enrichers(live, replayed=None, replay_queue_arn="arn:aws:sqs:us-east-2:1:replay")
    event = sqs_event([world.reference.to_json()] * 2)
    first = sqs_event([world.reference.to_json()])
    assert entry.handler.handle(first, lambda_context(), service) == {
        "batchItemFailures": [{"itemIdentifier": "message-0"}]
    }
    assert (world.key in world.objects.bodies, world.mark()) == (False, None)
    assert entry.handler.handle(event, lambda_context(), service) == {"batchItemFailures": []}
    assert [each.variant for each in world.rows()[0].assignments] == ["A"]


def test_importing_needs_no_environment():
    """The module can be imported with an empty environment and makes no client."""
    code = "import enrich.handler, boto3; assert boto3.DEFAULT_SESSION is None"
    done = subprocess.run([sys.executable, "-c", code], env={}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
