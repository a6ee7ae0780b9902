"""Lambda's shapes, with AWS's own sample event."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import boto3
import pytest

from aggregate import handler as entry
from aggregate.adapters.counters import DynamoCounters
from aggregate.adapters.markers import DynamoMarkers
from aggregate.adapters.marks import PartMarks
from aggregate.catalogue import DefinitionsCatalogue
from aggregate.following import ReplayFollower
from aggregate.loading import Loader
from aggregate.service import Aggregate
from millrace.aggregates import Dimension, Scope
from millrace.aws.aggregates import AggregatesReader
from millrace.aws.ledger import DynamoLedger
from millrace.aws.replays import DynamoReplays
from millrace.commit import Checkpoint, Stage
from millrace.definitions import version_of
from millrace.errors import ConfigError
from millrace.keys import definitions_key, enriched_key
from millrace.raw_lines import pack
from millrace.reference import EnrichedReference, Reference
from millrace.windows import WindowWidth
from millrace_testing.builders import SHARD, commit_of, sqs_event
from millrace_testing.lambda_context import lambda_context

FIXTURES = Path(__file__).parents[4] / "shared" / "data" / "lambda-event-fixtures"


@pytest.fixture
def run(world):
    """Run the handler's inside on fakes."""
    return lambda event: entry.handler.handle(event, lambda_context(), world.service())


def official_event(bodies):
    """Return AWS's sample SQS event, one record for each body."""
    path = FIXTURES / "aws-lambda-go" / "sqs-event.json"
    if not path.exists():
        pytest.skip(f"AWS's sample events are not there: {path.name}")
    record = json.loads(path.read_bytes())["Records"][0]
    return {
        "Records": [
            record | {"messageId": f"message-{number}", "body": body}
            for number, body in enumerate(bodies)
        ]
    }


@pytest.fixture(autouse=True)
def no_metrics_left():
    """Each test begins and ends with an empty metric sink."""
    entry.metrics.clear_metrics()
    yield
    entry.metrics.clear_metrics()


@pytest.mark.batch
def test_one_bad_message_does_not_fail_the_others(world, run, new_events):
    """AWS's sample event: the malformed body is reported by its id, the rest is counted."""
    first, second = (world.commit(seq, new_events([seq, seq + 1])) for seq in (100, 200))
    answer = run(official_event([first.to_json(), '{"v": 2}', second.to_json()]))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    assert world.row("events", Dimension.TYPE, "view").value == 4


@pytest.mark.batch
def test_a_missing_object_fails_its_message_alone(world, run, new_events):
    """The message goes back to its queue, and in the end to the dead-letter queue."""
    first, second = (world.commit(seq, new_events([seq])) for seq in (100, 200))
    del world.objects.bodies[first.enriched_key]
    answer = run(sqs_event([first.to_json(), second.to_json()]))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert Stage.AGGREGATED in world.ledger.head(SHARD, 200).marks


@pytest.mark.batch
def test_events_and_errors_are_metrics(world, run, new_events, capsys):
    """EMF lines carry what was aggregated and what failed."""
    reference = world.commit(100, new_events([1, 2, 3]))
    bodies = [reference.to_json(), "not JSON"]
    entry.metrics.log_metrics(lambda event, _: run(event))(sqs_event(bodies), lambda_context())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [emf] = [line for line in lines if "_aws" in line]
    assert emf["EventsAggregated"] == [3.0]
    assert emf["AggregateErrors"] == [1.0]
    assert (emf["ReferencesSucceeded"], emf["ReferencesFailed"]) == ([1.0], [1.0])


@pytest.mark.batch
def test_logs_name_the_commit_and_no_payload(world, run, new_events, caplog):
    """What was done is logged with the ids of the commit, never with what events hold."""
    events = new_events([1], payload={"secret": "s3cr3t"})
    run(sqs_event([world.commit(100, events).to_json(), '{"v": 1, "commit_id": "s3cr3t"}']))
    (done,) = (each for each in caplog.records if each.message == "reference done")
    assert done.commit_id == "1a2b3c4d-shardId-000000000000-100"
    assert (done.correlation_id, done.events, done.unusable_amounts) == ("corr-1", 1, 1)
    assert not any("s3cr3t" in str(vars(each)) for each in caplog.records)


def metrics_of(run, bodies, capsys):
    entry.metrics.log_metrics(lambda event, _: run(event))(sqs_event(bodies), lambda_context())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [emf] = [line for line in lines if "_aws" in line]
    return emf


@pytest.mark.batch
def test_the_processor_s_messages_and_errors_are_metrics(world, run, new_events, capsys):
    """Every message counts, live or replayed; malformed rows and failed messages are errors."""
    live = world.commit(100, new_events([1, 2, 3]))
    replayed = world.replayed("a", new_events([4, 5]))
    rows = [*(each.to_line() for each in new_events([4, 5])), b"{}"]
    world.objects.bodies[replayed.enriched_key] = pack(rows).body
    missing = world.commit(200, new_events([6]))
    del world.objects.bodies[missing.enriched_key]
    emf = metrics_of(run, [each.to_json() for each in (live, replayed, missing)], capsys)
    assert emf["ProcessorMessageCount"] == [3.0]
    assert emf["ProcessorErrorCount"] == [2.0]
    assert emf["EventsAggregated"] == [3.0]
    assert emf["ReplayedEventsAggregated"] == [2.0]
    assert emf["EnrichedRowsMalformed"] == [1.0]
    assert emf["EnrichedObjectsMissing"] == [1.0]
    assert emf["AggregateErrors"] == [1.0]


@pytest.mark.batch
def test_a_missing_object_is_logged_with_its_key(world, run, new_events, caplog):
    """Whoever reads the log finds the object, the commit and the message."""
    reference = world.commit(100, new_events([1]))
    del world.objects.bodies[reference.enriched_key]
    run(sqs_event([reference.to_json()]))
    (line,) = (each for each in caplog.records if each.message == "enriched object missing")
    assert (line.key, line.commit_id) == (reference.enriched_key, reference.commit_id)
    assert line.message_id == "message-0"


@pytest.mark.batch
def test_a_dry_run_returns_what_it_counted(world, run, new_events, caplog):
    """SQS is told that all went well; beside it stands what would have been added."""
    world.dry_run = True
    bodies = [world.replayed(name, new_events([1, 2])).to_json() for name in "ab"]
    answer = run(sqs_event(bodies))
    assert answer["batchItemFailures"] == []
    dry = answer["dry_run"]
    assert (dry["references"], dry["events"], dry["malformed_events"]) == (2, 4, 0)
    assert dry["counters"] > 8
    lines = [each for each in caplog.records if each.message == "dry run: nothing written"]
    assert [(each.events, each.replay_id) for each in lines] == [(2, "replay-1")] * 2
    assert not world.counters.rows


@pytest.mark.batch
def test_a_live_reference_in_a_dry_run_is_processed_with_a_warning(world, run, new_events, caplog):
    """A dry run would take it from its queue uncounted."""
    world.dry_run = True
    answer = run(sqs_event([world.commit(100, new_events([1])).to_json()]))
    assert answer == {"batchItemFailures": []}
    assert world.row("events", Dimension.TYPE, "view").value == 1
    (line,) = (each for each in caplog.records if each.levelname == "WARNING")
    assert "dry run" in line.message


def test_importing_needs_no_environment():
    """The module can be imported with an empty environment and makes no client."""
    code = "import aggregate.handler, boto3; assert boto3.DEFAULT_SESSION is None"
    done = subprocess.run([sys.executable, "-c", code], env={}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_missing_variable_is_named_and_counted(monkeypatch, capsys):
    """Without its environment the function fails at once, says what is missing, and is counted."""
    for name in ("DATA_BUCKET", "COMMITS_TABLE", "AGGREGATES_TABLE", "MARKERS_TABLE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="MARKERS_TABLE"):
        entry.handler(sqs_event(["{}", "{}"]), lambda_context())
    assert '"AggregateErrors":[2.0]' in capsys.readouterr().out


def test_the_service_is_built_from_its_environment(moto_db, new_events, monkeypatch):
    """From the environment alone: two invocations count two commits in DynamoDB."""
    definitions = b"""
[[metric]]
name = "events"
kind = "count"
dimensions = ["type"]
windows = ["day"]
"""
    version = version_of(definitions)
    s3, objects = boto3.client("s3"), {definitions_key(version): definitions}
    ledger = DynamoLedger(moto_db.client, "commits-1")
    bodies = []
    for number, seq in enumerate((100, 200)):
        commit, _ = commit_of([b"{}"], first_seq=seq)
        assert ledger.commit(ledger.read(SHARD), Checkpoint(number + 1, seq, ()), commit)
        key = enriched_key(commit.head.commit_id)
        events = [replace(event, defs_version=version) for event in new_events([seq, seq + 1])]
        objects[key] = pack([event.to_line() for event in events]).body
        reference = Reference.to(commit.head)
        bodies.append(EnrichedReference.from_reference(reference, key, version).to_json())
    s3.create_bucket(Bucket="data-1")
    for key, body in objects.items():
        s3.put_object(Bucket="data-1", Key=key, Body=body)
    for name in ("commits", "aggregates", "markers", "replays", "notes"):
        monkeypatch.setenv(f"{name.upper()}_TABLE", f"{name}-1")
    monkeypatch.setenv("DATA_BUCKET", "data-1")
    entry.handler.forget_service()
    try:
        for body in bodies:
            assert entry.handler(sqs_event([body]), lambda_context()) == {"batchItemFailures": []}
    finally:
        entry.handler.forget_service()
    reader = AggregatesReader(moto_db.client, "aggregates-1")
    (row,) = reader.query(Scope.of(Dimension.TYPE, "view"), WindowWidth.DAY)
    assert (row.value, row.defs_version) == (4, version)


@pytest.mark.batch
def test_a_whole_delivery_on_dynamodb(world, moto_db, new_events):
    """On the adapters: two deliveries of each reference, rows as the reader gives them."""
    ledger = DynamoLedger(moto_db.client, "commits-1")
    references = [world.commit(seq, new_events(range(seq, seq + 50))) for seq in (100, 200)]
    for version, seq in enumerate((100, 200)):
        commit, _ = commit_of([b"{}"], first_seq=seq)
        assert ledger.commit(ledger.read(SHARD), Checkpoint(version + 1, seq, ()), commit)
    ttl = timedelta(days=90)
    marks = PartMarks(moto_db.client, "commits-1", "markers-1", world.clock, ttl)
    service = Aggregate(
        ledger=ledger,
        loader=Loader(ledger, world.objects, DefinitionsCatalogue(world.objects)),
        markers=DynamoMarkers(moto_db.client, "markers-1", world.clock, ttl),
        counters=DynamoCounters(moto_db.client, "aggregates-1", marks, world.clock),
        replays=ReplayFollower(DynamoReplays(moto_db.client, "replays-1"), world.clock),
        clock=world.clock,
    )
    bodies = [reference.to_json() for reference in references * 2]
    answer = entry.handler.handle(sqs_event(bodies), lambda_context(), service)
    assert answer == {"batchItemFailures": []}
    reader = AggregatesReader(moto_db.client, "aggregates-1")
    rows = {
        row.key.metric: row
        for row in reader.query(Scope.of(Dimension.TYPE, "view"), WindowWidth.DAY)
    }
    assert {name: row.value for name, row in rows.items()} == {
        "events": 100,
        "numbers": sum(range(100, 150)) + sum(range(200, 250)),
        "users": 7,
    }
    assert all(row.event_count == 100 for row in rows.values())
