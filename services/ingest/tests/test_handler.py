"""Lambda's shapes, from AWS's own samples."""

import json
from pathlib import Path

import pytest

from ingest.handler import handle, metrics
from ingest.settings import IngestSettings
from millrace.commit import ShardKey
from millrace.identity import gate_key
from millrace_testing.builders import SHARD, event_bytes, kinesis_event
from millrace_testing.lambda_context import lambda_context

SETTINGS = IngestSettings(
    stream_incarnation=SHARD.incarnation,
    stream_arn="arn:aws:kinesis:us-east-1:000000000000:stream/events",
    data_bucket="data",
    commits_table="commits",
    gate_table="gate",
    enrich_queue_url="https://queue",
)
FIXTURES = Path(__file__).parents[4] / "shared/data/lambda-event-fixtures"
OFFICIAL = [
    "powertools-python/kinesisStreamEvent.json",
    "aws-lambda-go/kinesis-event.json",
    "aws-lambda-dotnet/kinesis-event.json",
]


@pytest.mark.batch
@pytest.mark.skipif(not FIXTURES.is_dir(), reason="../shared/data is not beside this checkout")
@pytest.mark.parametrize("name", OFFICIAL)
def test_official_samples_are_read(world, name):
    """AWS's sample events (their data is no event of ours) are quarantined."""
    event = json.loads((FIXTURES / name).read_text(encoding="utf-8-sig"))
    answer = handle(event, lambda_context(), world.service, SETTINGS)
    assert answer == {"batchItemFailures": []}
    shard_id = event["Records"][0]["eventID"].split(":")[0]
    (head,) = world.ledger.heads(ShardKey(SHARD.incarnation, shard_id))
    assert head.counts.quarantined == len(event["Records"])
    assert head.last_seq == int(event["Records"][-1]["kinesis"]["sequenceNumber"])


@pytest.mark.batch
def test_the_answer_names_the_first_unresolved_record(world):
    """Lambda retries from the one sequence number returned."""
    world.gate.throttled = {gate_key("web", "event-1")}
    event = kinesis_event([event_bytes(n) for n in range(3)])
    answer = handle(event, lambda_context(), world.service, SETTINGS)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "101"}]}


@pytest.mark.batch
def test_logs_name_the_record_and_not_its_payload(world, caplog):
    """A rejection is logged with reason, shard and sequence; its bytes never are."""
    event = kinesis_event([b'{"event_type": "s3cr3t"}'])
    handle(event, lambda_context(), world.service, SETTINGS)
    (rejected,) = (each for each in caplog.records if each.message == "record rejected")
    assert (rejected.reason, rejected.sequence) == ("missing_field", "100")
    assert not any("s3cr3t" in str(vars(each)) for each in caplog.records)


@pytest.mark.batch
def test_when_time_runs_short_the_batch_is_retried(world):
    """With less time left than a commit needs, nothing is begun and all is asked for again."""
    event = kinesis_event([event_bytes(n) for n in range(3)])
    answer = handle(event, lambda_context(remaining_ms=5_000), world.service, SETTINGS)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "100"}]}
    assert list(world.ledger.heads(SHARD)) == []


def emitted(capsys) -> dict[str, float]:
    """Return the values of all metrics flushed so far."""
    blobs = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    return {name: value for blob in blobs for name, value in blob.items() if name != "_aws"}


@pytest.mark.batch
def test_metrics_account_for_the_batch(world, capsys):
    """Counts, lag and reasons are emitted as EMF; quarantine by reason."""
    event = kinesis_event([event_bytes(1), event_bytes(1), b"x"])
    metrics.log_metrics(lambda batch, context: handle(batch, context, world.service, SETTINGS))(
        event, lambda_context()
    )
    seen = emitted(capsys)
    assert seen["RecordsReceived"] == [3]
    assert seen["EventsAccepted"] == [1]
    assert seen["EventsDuplicate"] == [1]
    assert seen["RecordsQuarantined"] == [1]
    assert seen["reason"] == "not_json"
    assert seen["LagP50"][0] == pytest.approx(120_000, rel=0.06)
    assert seen["MaxMemory"][0] > 1


@pytest.mark.batch
@pytest.mark.parametrize(("bad", "loud"), [(5, 0), (25, 1)])
def test_a_mostly_rejected_batch_is_loud(world, caplog, capsys, bad, loud):
    """Some bad records are business as usual; most of a batch is an incident."""
    event = kinesis_event([event_bytes(n) for n in range(15)] + [b"x"] * bad)
    metrics.log_metrics(lambda batch, context: handle(batch, context, world.service, SETTINGS))(
        event, lambda_context()
    )
    assert emitted(capsys)["BatchesMostlyRejected"] == [loud]
    assert any("most of a batch" in each.message for each in caplog.records) == bool(loud)
