"""The readers against moto: ledger, stream, queues, aggregates, archive; then the commands."""

import csv
import gzip
import io
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import orjson
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from millrace.aws.discarded import DynamoDiscards
from millrace.aws.ledger import DynamoLedger
from millrace.commit import (
    Checkpoint,
    Commit,
    CommitBody,
    CommitCounts,
    CommitHead,
    ShardKey,
    Stage,
)
from millrace_cli.environment import load_environment
from millrace_cli.main import app
from millrace_cli.pipeline import PipelineReader
from millrace_testing.discards import discarded_batch
from millrace_testing.tables import COMMITS, create_table

REGION = "us-east-1"
NOW = datetime(2025, 12, 28, 9, tzinfo=UTC)
HOUR = "2015-09-12T13"
SHARD = "shardId-000000000000"


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A deployment in moto, described as `terraform output -json` does."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        file = tmp_path / "outputs.json"
        file.write_text(json.dumps({k: {"value": v} for k, v in deployed().items()}))
        yield file


def deployed() -> dict[str, Any]:
    kinesis = boto3.client("kinesis", region_name=REGION)
    kinesis.create_stream(StreamName="p-events", ShardCount=1)
    summary = kinesis.describe_stream_summary(StreamName="p-events")["StreamDescriptionSummary"]
    boto3.client("s3", region_name=REGION).create_bucket(Bucket="p-data")
    create_table(boto3.client("dynamodb", region_name=REGION), "p-commits", COMMITS)
    table("p-aggregates", "PK", "SK")
    table("p-manifests", "hour", "object_key")
    sqs = boto3.client("sqs", region_name=REGION)
    stages = ("enrich", "aggregate", "archive")
    return {
        "region": REGION,
        "name_prefix": "p",
        "stream_arn": summary["StreamARN"],
        "stream_incarnation": "1234abcd",
        "data_bucket": "p-data",
        "tables": {
            "commits": "p-commits",
            "gate": "p-gate",
            "event_index": "p-event_index",
            "aggregates": "p-aggregates",
            "manifests": "p-manifests",
            "assignments": "p-assignments",
            "experiments": "p-experiments",
        },
        "queue_urls": {n: sqs.create_queue(QueueName=f"p-{n}")["QueueUrl"] for n in stages},
        "dlq_urls": {n: sqs.create_queue(QueueName=f"p-{n}-dlq")["QueueUrl"] for n in stages},
    }


def table(name: str, hash_key: str, range_key: str) -> None:
    boto3.client("dynamodb", region_name=REGION).create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": hash_key, "KeyType": "HASH"},
            {"AttributeName": range_key, "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": hash_key, "AttributeType": "S"},
            {"AttributeName": range_key, "AttributeType": "S"},
        ],
    )


def commit(last_seq: int, accepted: int, *, done: bool) -> None:
    ledger = DynamoLedger(boto3.client("dynamodb", region_name=REGION), "p-commits")
    shard = ShardKey("1234abcd", SHARD)
    head = CommitHead(
        shard=shard,
        first_seq=1,
        last_seq=last_seq,
        counts=CommitCounts(accepted=accepted, duplicates=1, quarantined=2),
        first_arrival=NOW,
        last_arrival=NOW,
        committed_at=NOW,
        correlation_id="c",
        raw_key="raw/x",
        raw_bytes=1,
        quarantine_key="quarantine/x",
    )
    body = CommitBody(members=(), lines=(), stats=())
    assert ledger.commit(Checkpoint(), Checkpoint(1, last_seq, ()), Commit(head, body))
    for stage in Stage if done else ():
        ledger.mark(shard, 1, stage, {"events": accepted})


def test_a_discarded_batch_is_unaccounted_for_until_it_is_repaired(outputs: Path) -> None:
    """It does not wait on the stream any more, and a repair leaves nothing behind."""
    environment = load_environment("unused", outputs)
    kinesis = boto3.client("kinesis", region_name=REGION)
    arn = environment.outputs.stream_arn
    put = kinesis.put_record(StreamARN=arn, Data=b"{}", PartitionKey="k")
    sequence = int(put["SequenceNumber"])
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    discards = DynamoDiscards(dynamodb, "p-commits")
    batch = discarded_batch(sequence, sequence, ShardKey("1234abcd", SHARD))
    discards.note(batch)
    reader = PipelineReader(environment)
    status = reader.status()
    assert [gap.what for gap in status.gaps] == ["discarded batches"]
    assert status.as_dict()["discarded_batches"] == [batch.batch_id]
    assert all(gap.before_this_run for gap in status.gaps_since(status))
    commit(sequence, accepted=1, done=True)
    discards.close_repaired(batch, NOW)
    assert reader.status().gaps == ()


def test_status_reads_ledger_stream_and_queues(outputs: Path) -> None:
    """Counts come from the commits, `waiting` from the stream behind the last committed record."""
    environment = load_environment("unused", outputs)
    kinesis = boto3.client("kinesis", region_name=REGION)
    sqs = boto3.client("sqs", region_name=REGION)
    arn = environment.outputs.stream_arn
    put = {"StreamARN": arn, "Data": b"{}", "PartitionKey": "k"}
    sequence = int(kinesis.put_record(**put)["SequenceNumber"])
    reader = PipelineReader(environment)
    assert [shard.waiting for shard in reader.status().shards] == [True]
    commit(sequence, accepted=5, done=True)
    status = reader.status()
    assert (status.totals.received, status.totals.archived, status.gaps) == (8, 5, ())
    kinesis.put_record(**put)
    sqs.send_message(QueueUrl=environment.outputs.queue_urls["archive"], MessageBody="x")
    sqs.send_message(QueueUrl=environment.outputs.dlq_urls["enrich"], MessageBody="x")
    status = reader.status()
    assert [shard.waiting for shard in status.shards] == [True]
    assert (status.queued, status.dead) == (1, 1)


def millrace(*arguments: str, stdin: str | None = None) -> Any:
    return CliRunner().invoke(app, arguments, input=stdin)


def test_status_ends_with_three_when_something_is_unaccounted(outputs: Path) -> None:
    """Exit code 0 is a promise; an unfinished commit breaks it and is named."""
    commit(9, accepted=5, done=False)
    result = millrace("status", "--outputs", str(outputs))
    assert result.exit_code == 3
    assert "ERROR stages: 5 events not yet enriched, in 1 commit\n" in result.stdout
    assert "/aws/lambda/p-enrich" in result.stdout
    as_json = millrace("status", "--since", "2025-12-28", "--json", "--outputs", str(outputs))
    assert as_json.exit_code == 3
    (shard,) = PipelineReader(load_environment("unused", outputs)).status().shards
    assert [(seq, counts.accepted) for seq, counts in shard.unfinished.items()] == [(1, 5)]
    assert orjson.loads(as_json.stdout)["counts"]["accepted"] == 5


def test_status_ends_with_zero_when_all_is_accounted(outputs: Path) -> None:
    """All commits finished, nothing queued, nothing on the stream."""
    result = millrace("status", "--outputs", str(outputs))
    assert result.exit_code == 0, result.output
    assert "All is well" in result.stdout
    assert "3 queues: 0 messages" in result.stdout


def test_status_counts_a_window_and_misses_nothing_unfinished(outputs: Path) -> None:
    """A commit before the window counts in no total, and is unaccounted for all the same."""
    commit(9, accepted=5, done=False)
    told = orjson.loads(millrace("status", "--json", "--outputs", str(outputs)).stdout)
    assert (told["counts"]["received"], told["window"]["complete"]) == (0, True)
    lacking = {each["what"]: each["count"] for each in told["unaccounted"]}
    assert lacking == {
        "events not yet enriched": 5, "events not yet aggregated": 5, "events not yet archived": 5,
        "commits unfinished": 1,
    }  # fmt: skip
    (finding,) = [each for each in told["findings"] if each["check"] == "stages"]
    assert (finding["severity"], finding["number"]) == ("error", 5)
    assert finding["since"] == "2025-12-28T09:00:00.000Z"


def test_a_dead_letter_is_found_with_its_command(outputs: Path) -> None:
    """Where failures are not noted the queue is counted, and what it names can be copied."""
    environment = load_environment("unused", outputs)
    url = environment.outputs.dlq_urls["enrich"]
    boto3.client("sqs", region_name=REGION).send_message(QueueUrl=url, MessageBody="x")
    result = millrace("status", "--outputs", str(outputs))
    assert result.exit_code == 3
    assert "ERROR dead letters: 1 dead letter of enrich\n" in result.stdout
    assert f"look: millrace dlq list --outputs {outputs}" in result.stdout


def test_a_small_budget_says_that_the_window_is_not_whole(outputs: Path) -> None:
    """What is unfinished is found nevertheless; it does not say that all is well."""
    commit(9, accepted=5, done=True)
    result = millrace(
        "status", "--since", "2025-12-28", "--max-pages", "1", "--outputs", str(outputs)
    )
    assert result.exit_code == 0, result.output
    assert "not read to its end" in result.stdout
    assert "All is well" not in result.stdout


def test_put_sends_and_summarises(outputs: Path, tmp_path: Path) -> None:
    """A mapped file goes onto the stream; --json is the summary and nothing else."""
    file = tmp_path / "in.csv"
    file.write_text("user,time,n\nu1,2025-12-28T09:00:00Z,1\nu2,2025-12-28T09:00:01Z,2\n")
    result = millrace(
        "put", str(file), "--map", "event_time=time entity_id=user", "--map",
        "event_type=const:e", "--json", "--outputs", str(outputs),
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    summary = orjson.loads(result.stdout)
    assert (summary["sent"], summary["batches"], summary["retried"]) == (2, 1, 0)


def test_put_streams_standard_input(outputs: Path) -> None:
    """`-` is sent as it comes; a bad line says how many were sent before it."""
    good = "".join(f'{{"entity_id":"u{n}"}}\n' for n in range(600))
    sent = millrace("put", "-", "--json", "--outputs", str(outputs), stdin=good)
    assert orjson.loads(sent.stdout)["sent"] == 600
    stopped = millrace("put", "-", "--outputs", str(outputs), stdin=good + "{bad\n")
    assert stopped.exit_code == 1
    assert "line 601: not JSON" in stopped.stderr
    assert "(500 events were sent)" in stopped.stderr
    assert "--skip 500" in stopped.stderr


def aggregate(scope: str, sort_key: str, value: int, metric: str = "event_count") -> None:
    label = sort_key.split("#")[1]
    start = f"{label}:00:00Z" if "T" in label else f"{label}T00:00:00Z"
    boto3.resource("dynamodb", region_name=REGION).Table("p-aggregates").put_item(
        Item={
            "PK": scope, "SK": sort_key, "metric_name": metric, "value": value,
            "window_start": start, "window_end": start, "version": sort_key.split("#")[3],
            "event_count": value, "input_hash": 2**70, "sample_event_ids": ["a", "b"],
            "defs_versions": {"d"}, "updated_at": "2025-12-28T09:00:00Z",
        }
    )  # fmt: skip


def test_aggregates_are_chosen_by_window_metric_and_version(outputs: Path) -> None:
    """Half-open in time, one width, one version; ids are encoded as the table's keys are."""
    for hour, value in (("11", 1), ("12", 2), ("13", 3)):
        aggregate("ENTITY#a%2Fb%23c", f"HOUR#2015-09-12T{hour}#VER#live#event_count", value)
    aggregate("ENTITY#a%2Fb%23c", "HOUR#2015-09-12T12#VER#17#event_count", 20)
    aggregate("ENTITY#a%2Fb%23c", "HOUR#2015-09-12T12#VER#live#other", 9, "other")
    aggregate("ENTITY#a%2Fb%23c", "DAY#2015-09-12#VER#live#event_count", 6)

    def values(*options: str) -> list[int]:
        result = millrace(
            "aggregates", "--scope", "ENTITY#a/b#c", "--json", "--outputs", str(outputs), *options
        )
        assert result.exit_code == 0, result.output
        return [row["value"] for row in orjson.loads(result.stdout)]

    assert values("--metric", "event_count") == [1, 2, 3]
    assert values("--from", "2015-09-12T12", "--to", "2015-09-12T13") == [2, 9]
    assert values("--version", "17") == [20]
    assert values("--window", "day") == [6]
    assert values("--from", "2015-09-13") == []
    assert values("--version", "all", "--from", "2015-09-12T12", "--to", "2015-09-12T13") == [
        20, 2, 9,
    ]  # fmt: skip


def test_aggregates_as_csv_hold_every_column_of_a_row(outputs: Path) -> None:
    """A header and one line a row, whose numbers are exact and whose sample ids are a list."""
    value = 10**30 + 1
    aggregate("TYPE#edit%2C%20or%20not", "DAY#2015-09-12#VER#live#event_count", value)
    result = millrace(
        "aggregates", "--scope", "TYPE#edit, or not", "--window", "day", "--csv",
        "--outputs", str(outputs),
    )  # fmt: skip
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    assert row == {
        "scope": "TYPE#edit%2C%20or%20not", "metric_name": "event_count", "window": "day",
        "value": str(value), "window_start": "2015-09-12T00:00:00Z",
        "window_end": "2015-09-12T23:59:59Z", "version": "live", "event_count": str(value),
        "input_hash": str(2**70), "sample_event_ids": '["a","b"]', "defs_version": "d",
        "updated_at": "2025-12-28T09:00:00.000Z",
    }  # fmt: skip


def test_scopes_are_listed(outputs: Path) -> None:
    """Without a scope the command says which there are, as its option takes them."""
    for scope in ("TYPE#edit", "ENTITY#a%2Fb%23c", "PAYLOAD#page.country#VALUE#de"):
        for hour in (11, 12):
            aggregate(scope, f"HOUR#2015-09-12T{hour}#VER#live#event_count", 1)
    listed = millrace("aggregates", "--outputs", str(outputs))
    assert listed.stdout.splitlines() == [
        "ENTITY#a%2Fb%23c", "PAYLOAD#page.country#VALUE#de", "TYPE#edit",
    ]  # fmt: skip
    as_json = millrace("aggregates", "--json", "--outputs", str(outputs))
    assert orjson.loads(as_json.stdout) == listed.stdout.splitlines()


def archived(hour: str, name: str, events: list[dict[str, Any]]) -> str:
    body = b"".join(orjson.dumps(event) + b"\n" for event in events)
    half = len(body) // 2  # two gzip members in one object, as raw objects have
    key = f"archive/{name}.ndjson.gz"
    packed = gzip.compress(body[:half]) + gzip.compress(body[half:])
    boto3.client("s3", region_name=REGION).put_object(Bucket="p-data", Key=key, Body=packed)
    boto3.resource("dynamodb", region_name=REGION).Table("p-manifests").put_item(
        Item={
            "hour": hour, "object_key": key, "commit_id": name, "events": len(events),
            "bytes": len(packed), "first_event_time": events[0]["t"],
            "last_event_time": events[-1]["t"], "input_hash": 1, "written_at": "w",
        }
    )  # fmt: skip
    return key


def test_archive_ls_and_cat_follow_the_manifests(outputs: Path) -> None:
    """Objects come in order of time, whole days or one hour; what has no manifest is not read."""
    late = [{"t": "2015-09-12T13:30:00Z", "n": n} for n in range(3)]
    early = [{"t": "2015-09-12T13:00:00Z", "n": n} for n in range(2)]
    other = [{"t": "2015-09-12T23:59:59Z", "n": 9}]
    for hour, name, events in (
        (HOUR, "a", late),
        (HOUR, "b", early),
        ("2015-09-12T23", "c", other),
    ):
        archived(hour, name, events)
    boto3.client("s3", region_name=REGION).put_object(
        Bucket="p-data", Key="archive/orphan.ndjson.gz", Body=b"left by a crash"
    )
    listed = millrace("archive", "ls", "2015-09-12", "--json", "--outputs", str(outputs))
    assert [row["events"] for row in orjson.loads(listed.stdout)] == [2, 3, 1]
    cat = millrace("archive", "cat", HOUR, "--outputs", str(outputs))
    assert [orjson.loads(line) for line in cat.stdout.splitlines()] == early + late
    assert (
        "3 objects, 6 events"
        in millrace("archive", "ls", "2015-09-12", "--outputs", str(outputs)).stdout
    )
    folder = outputs.parent / "copy"
    for already in (0, 3):
        copied = millrace(
            "archive",
            "copy",
            "2015-09-12",
            "--to",
            str(folder),
            "--json",
            "--outputs",
            str(outputs),
        )
        assert json.loads(copied.stdout)["already_there"] == already
    assert len(list(folder.glob("archive/*.ndjson.gz"))) == 3
    empty = millrace("archive", "cat", "2015-09-11", "--outputs", str(outputs))
    assert (empty.exit_code, "nothing is archived" in empty.stderr) == (1, True)
