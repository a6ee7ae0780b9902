"""What consumers note of their batches, and that noting costs no batch anything."""

import json
from collections import Counter
from pathlib import Path

import pytest

from millrace.batch import BatchHandler, BatchNames
from millrace.consumer import Done, ReferenceConsumer
from millrace.dlq.letter import CANARY_ATTRIBUTE, body_hash
from millrace.dlq.notes import Outcome
from millrace.dlq.noting import notes_of
from millrace.errors import ConfigError, ObjectMissing, RetryableError
from millrace.observability import MetricName, service_logger, service_metrics
from millrace.reference import Reference
from millrace_testing.builders import ARRIVAL, commit_of, event_bytes, sqs_event
from millrace_testing.dead_letters import FakeNotes
from millrace_testing.fakes import FixedClock
from millrace_testing.lambda_context import lambda_context

pytestmark = pytest.mark.batch

FIXTURES = Path(__file__).parents[4] / "shared" / "data" / "lambda-event-fixtures"
REFERENCE = Reference.to(commit_of([event_bytes()])[0].head).to_json()
QUEUE = "my-queue"


class NoNotes(FakeNotes):
    """A place that can take nothing."""

    def write(self, notes) -> None:
        raise RetryableError("BatchWriteItem notes: throttled")


@pytest.fixture
def new_handler():
    """Handlers of a service that does what `process` does, and the notes of their failures."""

    def build(process, notes, make=list) -> BatchHandler[list[str]]:
        logger, metrics = service_logger("test"), service_metrics("test")
        metrics.clear_metrics()
        return BatchHandler(
            logger,
            metrics,
            BatchNames(MetricName.ENRICH_ERRORS),
            make,
            ReferenceConsumer(logger, Reference.parse, process),
            notes=lambda: notes,
            clock=FixedClock(ARRIVAL),
        )

    return build


def gone(_service, _reference):
    raise ObjectMissing("enriched/1.ndjson.gz")


def as_canary(event: dict, number: int) -> dict:
    attribute = {"stringValue": "canary-1", "dataType": "String"}
    event["Records"][number]["messageAttributes"] = {CANARY_ATTRIBUTE: attribute}
    return event


def test_each_failure_is_noted_under_its_body(new_handler):
    """Queue, error, request and receives; what is done leaves no note."""
    notes = FakeNotes()
    event = sqs_event([REFERENCE, "not JSON"])
    event["Records"][1]["attributes"]["ApproximateReceiveCount"] = "4"
    new_handler(lambda _service, _reference: Done(1), notes)(event, lambda_context())
    ((key, note),) = notes.kept.items()
    assert key == (QUEUE, body_hash("not JSON"))
    assert (note.outcome, note.error, note.receives) == (Outcome.FAILED, "MalformedReference", 4)
    assert note.at == ARRIVAL
    assert note.request_id == lambda_context().aws_request_id


def test_a_canary_is_noted_either_way(new_handler):
    """Done or failed, with its name: somebody waits to hear."""
    for process, outcome in ((lambda _s, _r: Done(1), Outcome.DONE), (gone, Outcome.FAILED)):
        notes = FakeNotes()
        new_handler(process, notes)(as_canary(sqs_event([REFERENCE]), 0), lambda_context())
        (note,) = notes.kept.values()
        assert (note.canary, note.outcome) == ("canary-1", outcome)


def test_failures_alike_have_one_label(new_handler):
    """Whatever ids, keys or times an error names."""
    notes = FakeNotes()
    bodies = [
        Reference.to(commit_of([event_bytes()], first_seq=seq)[0].head).to_json()
        for seq in (100, 200, 300)
    ]

    def fail(_service, reference):
        raise ObjectMissing(f"enriched/{reference.commit_id}.ndjson.gz")

    new_handler(fail, notes)(sqs_event(bodies), lambda_context())
    labels = Counter(note.label for note in notes.kept.values())
    assert labels == {"ObjectMissing: object * is missing": 3}


def test_a_function_that_cannot_start_notes_that_too(new_handler):
    """Every message of the batch failed for it."""
    notes = FakeNotes()

    def broken():
        raise ConfigError("the function's environment is incomplete: NAME: missing")

    with pytest.raises(ConfigError):
        new_handler(gone, notes, broken)(sqs_event([REFERENCE, "{}"]), lambda_context())
    assert len(notes.kept) == 2
    assert {note.error for note in notes.kept.values()} == {"ConfigError"}


def test_a_batch_is_answered_though_nothing_can_be_noted(new_handler):
    """Notes help people; the messages' fate does not depend on them."""
    answer = new_handler(gone, NoNotes())(sqs_event([REFERENCE]), lambda_context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}


def test_with_little_time_left_nothing_is_noted(new_handler):
    """The answer matters more: without it SQS would deliver what is done again."""
    notes = FakeNotes()
    answer = new_handler(gone, notes)(sqs_event([REFERENCE]), lambda_context(2_000))
    assert (len(answer["batchItemFailures"]), notes.kept) == (1, {})


@pytest.mark.skipif(not FIXTURES.exists(), reason="../shared/data is not beside this checkout")
def test_official_events_are_understood():
    """AWS's own samples of SQS give notes, of Kinesis none."""
    event = json.loads((FIXTURES / "powertools-python/sqsEvent.json").read_text())
    failed = {event["Records"][0]["messageId"]: ConfigError("no right")}
    (note,) = notes_of(event, failed, "request-1", ARRIVAL)
    assert (note.error, note.detail) == ("ConfigError", "no right")
    assert note.queue == event["Records"][0]["eventSourceARN"].split(":")[-1]
    kinesis = json.loads((FIXTURES / "powertools-python/kinesisStreamEvent.json").read_text())
    assert notes_of(kinesis, {}, "request-1", ARRIVAL) == []
