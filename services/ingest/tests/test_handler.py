"""Lambda's shapes, from AWS's own samples."""

import json
from pathlib import Path

import pytest

from ingest.handler import handle
from millrace.commit import ShardKey
from millrace.identity import gate_key
from millrace_testing.builders import SHARD, event_bytes, kinesis_event
from millrace_testing.lambda_context import lambda_context

FIXTURES = Path(__file__).parents[4] / "shared/data/lambda-event-fixtures"
OFFICIAL = [
    "powertools-python/kinesisStreamEvent.json",
    "aws-lambda-go/kinesis-event.json",
    "aws-lambda-dotnet/kinesis-event.json",
]


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="../shared/data is not beside this checkout")
@pytest.mark.parametrize("name", OFFICIAL)
def test_official_samples_are_read(world, name):
    """AWS's sample events (their data is no event of ours) are quarantined."""
    event = json.loads((FIXTURES / name).read_text(encoding="utf-8-sig"))
    answer = handle(event, lambda_context(), world.service, "1a2b3c4d")
    assert answer == {"batchItemFailures": []}
    shard_id = event["Records"][0]["eventID"].split(":")[0]
    (head,) = world.ledger.heads(ShardKey("1a2b3c4d", shard_id))
    assert head.counts.quarantined == len(event["Records"])
    assert head.last_seq == int(event["Records"][-1]["kinesis"]["sequenceNumber"])


def test_the_answer_names_the_first_unresolved_record(world):
    """Lambda retries from the one sequence number returned."""
    world.gate.throttled = {gate_key("web", "event-1")}
    event = kinesis_event([event_bytes(n) for n in range(3)])
    answer = handle(event, lambda_context(), world.service, SHARD.incarnation)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "101"}]}


def test_logs_name_the_record_and_not_its_payload(world, caplog):
    """A rejection is logged with reason, shard and sequence; its bytes never are."""
    event = kinesis_event([b'{"event_type": "s3cr3t"}'])
    handle(event, lambda_context(), world.service, SHARD.incarnation)
    (rejected,) = (each for each in caplog.records if each.message == "record rejected")
    assert (rejected.reason, rejected.sequence) == ("missing_field", "100")
    assert not any("s3cr3t" in str(vars(each)) for each in caplog.records)
