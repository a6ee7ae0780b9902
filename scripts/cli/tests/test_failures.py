"""`millrace failures`: what is left, repairing until it is done, giving up."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from millrace.audit import Tally
from millrace.aws.discarded import DynamoDiscards
from millrace.commit import SeqRange, ShardKey
from millrace.discarded.batch import DiscardedBatch, State
from millrace.discarded.deadline import Deadline, Source
from millrace.discarded.request import DiscardedAnswer, DiscardedRequest
from millrace_cli.environment import load_environment
from millrace_cli.errors import CommandError
from millrace_cli.failure_repair import repair_all
from millrace_cli.failure_tables import spoken
from millrace_cli.failures import Failure, Failures
from millrace_cli.main import app
from millrace_testing.discards import discarded_batch
from millrace_testing.tables import AUDIT, COMMITS, create_table

REGION = "us-east-1"
SHARD = ShardKey("1234abcd", "shardId-000000000000")
NAMES = ("gate", "event_index", "aggregates", "manifests", "assignments", "experiments")
SOON = datetime(2025, 12, 29, tzinfo=UTC)


def failure(first: int = 100, source: Source = Source.PAYLOAD) -> Failure:
    return Failure(discarded_batch(first, first + 4, SHARD), Deadline(source, SOON))


class FakeFunction:
    """Answers what it was told, in order; keeps what it was asked. An error is raised."""

    def __init__(self, *answers: DiscardedAnswer | CommandError) -> None:
        self.answers = list(answers)
        self.asked: list[DiscardedRequest] = []

    def ask(self, request: DiscardedRequest) -> DiscardedAnswer:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, CommandError):
            raise answer
        return answer


def test_a_batch_is_asked_for_until_it_is_done():
    """Where one call's time does not suffice, the next goes on; the figures add up."""
    function = FakeFunction(
        DiscardedAnswer(records=5, to_commit=5, committed=3, accepted=3),
        DiscardedAnswer(records=5, error="busy"),
        DiscardedAnswer(records=5, covered=3, to_commit=2, committed=2, accepted=2, done=True),
    )
    tally, seen = Tally(), []
    (repair,) = repair_all(
        function, [failure()], tally, [lambda done, now: seen.append((done, now.committed))]
    )
    assert (repair.committed, repair.accepted, repair.calls, repair.problem) == (5, 5, 3, "")
    assert repair.as_dict()["covered_before"] == 0
    assert {each.within for each in function.asked} == {SeqRange(100, 104)}
    assert seen == [(0, 3), (0, 3), (0, 5)]
    assert dict(tally.counts) == {"committed": 5, "repaired": 1}


@pytest.mark.parametrize(
    ("answer", "problem", "calls"),
    [
        (DiscardedAnswer(refused="it was abandoned"), "it was abandoned", 1),
        (DiscardedAnswer(records=3, missing=2, done=True), "2 of its records are nowhere", 1),
        (DiscardedAnswer(records=5, error="throttled"), "throttled", 10),
        (DiscardedAnswer(records=5), "see ingest's log", 10),
        (CommandError("ingest failed: PutObject", "see the log"), "PutObject", 1),
    ],
)
def test_what_cannot_be_repaired_says_why_and_stops_no_other(answer, problem, calls):
    """Refused, incomplete, without progress, or failed: the next batch is repaired all the same."""
    done = DiscardedAnswer(records=5, committed=5, done=True)
    function = FakeFunction(*[answer] * calls, done)
    tally = Tally()
    bad, good = repair_all(function, [failure(), failure(200)], tally)
    assert problem in bad.problem
    assert good.problem == ""
    assert len(function.asked) == calls + 1
    assert (tally.counts["failed"], tally.counts["repaired"]) == (1, 1)


def test_states_are_in_the_words_of_who_must_act():
    """Expired before partly covered: nothing can be done about it but to abandon it."""
    assert failure().state == "open"
    assert replace(failure(), covered=1).state == "partly covered"
    assert replace(failure(source=Source.NOWHERE), covered=1).state == "expired"


def test_times_left_are_spoken():
    """In the two largest units."""
    assert spoken(timedelta(days=3, hours=2, minutes=9)) == "3 d 2 h"
    assert spoken(timedelta(hours=5, minutes=59, seconds=59)) == "5 h 59 min"
    assert spoken(timedelta(minutes=7)) == "7 min"


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        kinesis = boto3.client("kinesis", region_name=REGION)
        kinesis.create_stream(StreamName="p-events", ShardCount=1)
        summary = kinesis.describe_stream_summary(StreamName="p-events")
        boto3.client("s3", region_name=REGION).create_bucket(Bucket="p-data")
        dynamodb = boto3.client("dynamodb", region_name=REGION)
        create_table(dynamodb, "p-commits", COMMITS)
        create_table(dynamodb, "p-audit", AUDIT)
        tables = {name: f"p-{name}" for name in (*NAMES, "commits", "audit")}
        values = {
            "region": REGION, "name_prefix": "p", "data_bucket": "p-data", "tables": tables,
            "stream_arn": summary["StreamDescriptionSummary"]["StreamARN"],
            "stream_incarnation": SHARD.incarnation, "queue_urls": {}, "dlq_urls": {},
            "functions": {"ingest": "p-ingest"}, "repair_days": 30,
        }  # fmt: skip
        file = tmp_path / "outputs.json"
        file.write_text(json.dumps(values))
        yield file


def noted(
    *, age: timedelta, first: int = 100, payload: bool = False, shard: ShardKey = SHARD
) -> DiscardedBatch:
    """Have a batch given up whose first record arrived so long ago."""
    arrival = datetime.now(UTC).replace(microsecond=0) - age
    key = f"aws/lambda/{first}" if payload else None
    if key:
        boto3.client("s3", region_name=REGION).put_object(Bucket="p-data", Key=key, Body=b"{}")
    batch = replace(
        discarded_batch(first, first + 4, shard, key), first_arrival=arrival, last_arrival=arrival
    )
    assert discards().note(batch)
    return batch


def discards() -> DynamoDiscards:
    return DynamoDiscards(boto3.client("dynamodb", region_name=REGION), "p-commits")


def millrace(outputs: Path, *arguments: str, code: int = 0, **more: Any) -> Any:
    result = CliRunner().invoke(
        app, ["failures", *arguments, "--outputs", str(outputs)], terminal_width=250, **more
    )
    assert result.exit_code == code, result.output
    return json.loads(result.stdout) if "--json" in arguments and not code else result.output


def test_the_list_ranks_by_the_time_that_is_left(outputs):
    """What the stream is about to drop comes first, what is lost last; people are told to hurry."""
    kept = noted(age=timedelta(hours=23), first=100, payload=True)
    urgent = noted(age=timedelta(hours=22), first=200)
    lost = noted(age=timedelta(hours=30), first=300)
    found = millrace(outputs, "list", "--json")
    assert [(each["id"], each["state"], each["source"]) for each in found] == [
        (urgent.batch_id, "open", "stream"),
        (kept.batch_id, "open", "payload"),
        (lost.batch_id, "expired", "nowhere"),
    ]
    assert 7_000 < found[0]["left_s"] <= 7_200
    text = millrace(outputs, "list")
    assert "REPAIR NOW" in text
    assert "1 expired" in text


def test_a_lost_range_is_abandoned_when_its_id_is_typed(outputs):
    """With a reason, which is kept; audited; a second time is refused."""
    lost = noted(age=timedelta(hours=30))
    name, reason = lost.batch_id, ("--reason", "sent again")
    assert "say why" in millrace(outputs, "abandon", name, code=2)
    assert "is not" in millrace(outputs, "abandon", name, *reason, code=2, input="yes\n")
    assert [each.batch_id for each in discards().open()] == [name]
    preview = millrace(outputs, "abandon", name, "--dry-run", "--json")
    assert preview == {"id": name, "ranges": 1, "abandoned": False}
    assert "never repaired" in millrace(outputs, "abandon", name, *reason, input=f"{name}\n")
    found = discards().find(SHARD, lost.range)
    assert found is not None
    assert found.closing is not None
    assert (found.state, found.closing.reason) == (State.ABANDONED, "sent again")
    assert "already" in millrace(outputs, "abandon", name, *reason, code=1)
    audit = CliRunner().invoke(app, ["audit", "--json", "--outputs", str(outputs)]).stdout
    phases = [json.loads(line)["phase"] for line in audit.splitlines()]
    assert phases == ["begun", "done"]


def test_what_a_recreated_stream_left_open_is_chosen_by_its_id(outputs):
    """The new stream holds nothing of it, so without its payload it is lost, and can be closed."""
    before = ShardKey("0ld0ld0l", SHARD.shard_id)
    lost = noted(age=timedelta(hours=1), shard=before)
    kept = noted(age=timedelta(hours=1), first=200, payload=True, shard=before)
    found = millrace(outputs, "list", "--json")
    assert [(each["id"], each["state"], each["source"]) for each in found] == [
        (kept.batch_id, "open", "payload"),
        (lost.batch_id, "expired", "nowhere"),
    ]
    assert len(millrace(outputs, "list", "--all", "--json")) == 2
    told = ("--reason", "the stream is another", "--confirm", lost.batch_id)
    assert millrace(outputs, "abandon", lost.batch_id, *told, "--json")["abandoned"]
    assert [each.batch_id for each in discards().open()] == [kept.batch_id]


def test_what_can_be_repaired_is_not_abandoned_by_mistake(outputs):
    """Only with --force; until when is said."""
    name = noted(age=timedelta(hours=1), payload=True).batch_id
    told = ("--reason", "x", "--confirm", name)
    assert "can still be repaired" in millrace(outputs, "abandon", name, *told, code=1)
    assert millrace(outputs, "abandon", name, *told, "--force", "--json")["abandoned"]


def test_wrong_use_is_told(outputs):
    """Neither ids nor --all, an id that is none."""
    assert "--all" in millrace(outputs, "repair", code=2)
    assert "no discarded batch" in millrace(outputs, "show", "12345678", code=2)
    assert "no discarded batches" in millrace(outputs, "list")


def test_closed_batches_are_listed_on_demand(outputs):
    """What was repaired is no longer open, but known."""
    batch = noted(age=timedelta(hours=1))
    discards().close_repaired(batch, datetime.now(UTC))
    failures = Failures(load_environment("local", outputs))
    assert failures.listed() == []
    (closed,) = failures.listed(closed=True)
    assert closed.state == "repaired"
    assert closed.as_dict(failures.now())["closed"]["who"] == ""
