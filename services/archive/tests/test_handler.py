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

from archive import handler as entry
from millrace.aws.ledger import DynamoLedger
from millrace.aws.ledger_items import from_attributes
from millrace.aws.objects import S3Objects
from millrace.commit import Checkpoint, Stage
from millrace.errors import ConfigError
from millrace.keys import enriched_key
from millrace.raw_lines import pack, unpack
from millrace.reference import EnrichedReference, Reference
from millrace_testing.builders import SHARD, commit_of, enriched_event, event_bytes, sqs_event
from millrace_testing.lambda_context import lambda_context
from millrace_testing.tables import COMMITS, MANIFESTS, create_table

FIXTURES = Path(__file__).parents[4] / "shared" / "data" / "lambda-event-fixtures"
OFFICIAL = [
    "powertools-python/sqsEvent.json",
    "aws-lambda-go/sqs-event.json",
    "aws-lambda-dotnet/sqs-event.json",
    "aws-sam-cli/Sqs.json",
]
STAMP = {"archive-max-events": "2", "archive-max-bytes": "100000"}


@dataclass
class Deployment:
    """What Terraform makes for archive, on moto."""

    ledger: DynamoLedger
    objects: S3Objects
    dynamodb: Any

    def enriched(self, first_seq: int = 100) -> EnrichedReference:
        """Store a commit of three events and its object as enrich does; return its reference."""
        commit, _ = commit_of([event_bytes(first_seq + n) for n in range(3)], first_seq=first_seq)
        before = self.ledger.read(SHARD)
        after = Checkpoint(before.version + 1, first_seq + 2, ())
        assert self.ledger.commit(before, after, commit)
        key = enriched_key(commit.head.commit_id)
        lines = [enriched_event(n, event_id=f"event-{first_seq + n}").to_line() for n in range(3)]
        self.objects.put_new(key, pack(lines).body, metadata=STAMP)
        return EnrichedReference.from_reference(Reference.to(commit.head), key, "0123456789abcdef")

    def manifests(self) -> list[dict[str, Any]]:
        """Return every manifest row."""
        return [row for row in self._all_rows() if row["hour"] != "DIRTY"]

    def dirty_hours(self) -> set[str]:
        """Return the hours that wait for their export."""
        return {row["object_key"] for row in self._all_rows() if row["hour"] == "DIRTY"}

    def _all_rows(self) -> list[dict[str, Any]]:
        answer = self.dynamodb.scan(TableName="manifests", ConsistentRead=True)
        return [from_attributes(item) for item in answer["Items"]]


@pytest.fixture
def deployment(aws, monkeypatch) -> Iterator[Deployment]:
    dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
    create_table(dynamodb, "commits", COMMITS)
    create_table(dynamodb, "manifests", MANIFESTS)
    s3.create_bucket(Bucket="data")
    for name, value in {
        "DATA_BUCKET": "data",
        "COMMITS_TABLE": "commits",
        "NOTES_TABLE": "notes",
        "MANIFESTS_TABLE": "manifests",
    }.items():
        monkeypatch.setenv(name, value)
    entry.handler.forget_service()
    yield Deployment(DynamoLedger(dynamodb, "commits"), S3Objects(s3, "data"), dynamodb)
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
    """AWS's sample events, their bodies replaced by references, are archived."""
    event = official(name)
    references = []
    for number, record in enumerate(event["Records"]):
        references.append(deployment.enriched(100 * (number + 1)))
        record["body"] = references[-1].to_json()
    assert invoke(event) == {"batchItemFailures": []}
    for reference in references:
        mark = deployment.ledger.head(reference.shard, reference.first_seq).marks[Stage.ARCHIVED]
        assert (mark["events"], mark["objects"]) == (3, 2)
    rows = deployment.manifests()
    assert len(rows) == 2 * len(references)
    for row in rows:
        assert len(unpack(deployment.objects.get(row["object_key"]))) == row["events"]
    assert deployment.dirty_hours() == {row["hour"] for row in rows}


@pytest.mark.batch
@pytest.mark.parametrize("name", OFFICIAL)
def test_official_samples_as_they_are(deployment, official, name):
    """A body that is no reference is reported by its message id, for the dead-letter queue."""
    event = official(name)
    assert invoke(event) == {
        "batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in event["Records"]]
    }
    assert deployment.manifests() == []


@pytest.mark.batch
def test_a_bad_message_fails_alone(deployment):
    """Of five messages the two bad ones are reported, the others done, a repeat included."""
    good = [deployment.enriched(first_seq) for first_seq in (100, 200)]
    plain = Reference.parse(good[0].to_json())
    absent = EnrichedReference("1a2b3c4d-x-9", SHARD, 9, "raw/none", "corr", "enriched/none", "v")
    bodies = [
        plain.to_json(),
        good[0].to_json(),
        absent.to_json(),
        good[1].to_json(),
        good[0].to_json(),
    ]
    answer = invoke(sqs_event(bodies))
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == [
        "message-0",
        "message-2",
    ]
    assert {row["commit_id"] for row in deployment.manifests()} == {each.commit_id for each in good}
    assert sum(row["events"] for row in deployment.manifests()) == 6


@pytest.mark.batch
def test_metrics_and_logs(deployment, capsys, caplog):
    """The batch's figures go out as EMF; logs carry ids and never a payload."""
    reference = deployment.enriched()
    invoke(sqs_event([reference.to_json(), '{"v": 1, "commit_id": "s3cr3t"}']))
    emf = next(
        json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line
    )
    assert (emf["EventsArchived"], emf["ArchiveObjects"]) == ([3.0], [2.0])
    assert (emf["ArchiveErrors"], emf["ReferencesSucceeded"]) == ([1.0], [1.0])
    assert emf["UploadsSucceeded"] == [2.0]
    assert emf["EventsPerSecond"][0] > 0
    (done,) = (each for each in caplog.records if each.message == "reference done")
    assert (done.commit_id, done.correlation_id) == (reference.commit_id, "corr-1")
    assert not any("s3cr3t" in str(vars(each)) for each in caplog.records)


def test_a_missing_setting_fails_every_invocation(deployment, monkeypatch, capsys):
    """An incomplete environment is named, counted, and mended without a new cold start."""
    reference = deployment.enriched()
    monkeypatch.delenv("MANIFESTS_TABLE")
    for _ in range(2):
        with pytest.raises(ConfigError, match="MANIFESTS_TABLE"):
            invoke(sqs_event([reference.to_json()]))
    assert capsys.readouterr().out.count('"ArchiveErrors":[1.0]') == 2
    monkeypatch.setenv("MANIFESTS_TABLE", "manifests")
    assert invoke(sqs_event([reference.to_json()])) == {"batchItemFailures": []}


def test_importing_needs_no_environment():
    """The module can be imported with an empty environment and makes no client."""
    code = "import archive.handler, boto3; assert boto3.DEFAULT_SESSION is None"
    done = subprocess.run([sys.executable, "-c", code], env={}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
