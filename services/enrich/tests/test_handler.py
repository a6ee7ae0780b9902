"""Lambda's shapes, from AWS's own samples, through the wired service on moto."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from enrich import handler as entry
from millrace.assignments import EntityAssignment
from millrace.aws.assignments import AssignmentsWriter
from millrace.aws.ledger import DynamoLedger
from millrace.aws.ledger_items import to_attributes
from millrace.aws.objects import S3Objects
from millrace.commit import Checkpoint, Stage
from millrace.enriched import EnrichedEvent
from millrace.errors import ConfigError
from millrace.raw_lines import unpack
from millrace.reference import EnrichedReference, Reference
from millrace.times import parse_rfc3339
from millrace_testing.builders import SHARD, commit_of, event_bytes, sqs_event
from millrace_testing.lambda_context import lambda_context
from millrace_testing.tables import ASSIGNMENTS, COMMITS, EVENT_INDEX, EXPERIMENTS, create_table

FIXTURES = Path(__file__).parents[4] / "shared" / "data" / "lambda-event-fixtures"
OFFICIAL = [
    "powertools-python/sqsEvent.json",
    "aws-lambda-go/sqs-event.json",
    "aws-lambda-dotnet/sqs-event.json",
    "aws-sam-cli/Sqs.json",
]
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
def deployment(monkeypatch) -> Iterator[Deployment]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        dynamodb, sqs, s3 = boto3.client("dynamodb"), boto3.client("sqs"), boto3.client("s3")
        for name, schema in (
            ("commits", COMMITS),
            ("assignments", ASSIGNMENTS),
            ("experiments", EXPERIMENTS),
            ("event_index", EVENT_INDEX),
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
            "ASSIGNMENTS_TABLE": "assignments",
            "EXPERIMENTS_TABLE": "experiments",
            "EVENT_INDEX_TABLE": "event_index",
            "AGGREGATE_QUEUE_URL": urls[0],
            "ARCHIVE_QUEUE_URL": urls[1],
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


def test_importing_needs_no_environment():
    """The module can be imported with an empty environment and makes no client."""
    code = "import enrich.handler, boto3; assert boto3.DEFAULT_SESSION is None"
    done = subprocess.run([sys.executable, "-c", code], env={}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
