"""Batches measured on the EMF lines that CloudWatch would read."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from millrace.batch import Batch, BatchHandler, BatchNames, building, measured
from millrace.consumer import Done, ReferenceConsumer
from millrace.errors import ConfigError, RetryableError
from millrace.observability import MetricName, service_logger, service_metrics
from millrace.reference import Reference
from millrace.settings import FunctionSettings
from millrace_testing.builders import commit_of, event_bytes, sqs_event
from millrace_testing.lambda_context import lambda_context

pytestmark = pytest.mark.batch

NAMES = BatchNames(MetricName.ENRICH_ERRORS, events=MetricName.ENRICHED)
REFERENCE = Reference.to(commit_of([event_bytes()])[0].head)


class NamedSettings(FunctionSettings):
    """Settings with one variable that must be there."""

    some_table: str


@pytest.fixture
def emitted(capsys) -> Callable[[], list[dict[str, Any]]]:
    """The EMF lines written so far.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """

    def lines() -> list[dict[str, Any]]:
        return [json.loads(each) for each in capsys.readouterr().out.splitlines() if "_aws" in each]

    return lines


@pytest.fixture
def new_handler():
    """Handlers of a service that is a list of what it processed."""

    def build(process, build=list) -> BatchHandler[list[str]]:
        logger, metrics = service_logger("test"), service_metrics("test")
        metrics.clear_metrics()
        work = ReferenceConsumer(logger, Reference.parse, process)
        return BatchHandler(logger, metrics, NAMES, build, work)

    return build


def units(emf: dict[str, Any]) -> dict[str, str]:
    (directive,) = emf["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Millrace"
    assert directive["Dimensions"] == [["service"]]
    return {each["Name"]: each["Unit"] for each in directive["Metrics"]}


def test_a_batch_says_how_it_ended(new_handler, emitted):
    """Duration, succeeded, failed, errors, events, their rate and memory, each in its unit."""

    def process(service: list[str], reference: Reference) -> Done:
        service.append(reference.commit_id)
        return Done(500)

    bodies = [REFERENCE.to_json(), "not JSON", REFERENCE.to_json(), "{}"]
    answer = new_handler(process)(sqs_event(bodies), lambda_context())
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == [
        "message-1",
        "message-3",
    ]
    (emf,) = emitted()
    assert emf["service"] == "test"
    assert (emf["ReferencesSucceeded"], emf["ReferencesFailed"]) == ([2.0], [2.0])
    assert (emf["EnrichErrors"], emf["EventsEnriched"]) == ([2.0], [1000.0])
    assert emf["EventsPerSecond"][0] == pytest.approx(1000 / emf["BatchDuration"][0] * 1000)
    assert 1 < emf["MaxMemory"][0] < 10_000
    assert units(emf) == {
        "ReferencesSucceeded": "Count",
        "ReferencesFailed": "Count",
        "EnrichErrors": "Count",
        "EventsEnriched": "Count",
        "EventsPerSecond": "Count/Second",
        "BatchDuration": "Milliseconds",
        "MaxMemory": "Megabytes",
    }


def test_a_reference_is_logged_with_its_facts(new_handler, caplog):
    """One line a reference: its ids, its events and what the service adds."""
    handler = new_handler(lambda service, reference: Done(3, {"objects": 2}))
    handler(sqs_event([REFERENCE.to_json()]), lambda_context())
    (line,) = (each for each in caplog.records if each.message == "reference done")
    assert (line.commit_id, line.correlation_id) == (REFERENCE.commit_id, "corr-1")
    assert (line.message_id, line.events, line.objects) == ("message-0", 3, 2)


def test_an_unforeseen_error_fails_its_message_alone(new_handler, emitted):
    """Whatever a service raises, the messages beside it are done."""

    def process(service: list[str], reference: Reference) -> Done:
        service.append("seen")
        if len(service) == 1:
            raise ZeroDivisionError
        return Done(1)

    answer = new_handler(process)(sqs_event([REFERENCE.to_json()] * 3), lambda_context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert emitted()[0]["ReferencesSucceeded"] == [2.0]


def test_a_batch_that_breaks_has_failed_whole(emitted):
    """An error out of the block leaves the figures behind: all failed, none succeeded."""
    metrics = service_metrics("test")
    with pytest.raises(RetryableError), measured(metrics, NAMES, 7):
        raise RetryableError("no answer")
    metrics.flush_metrics()
    (emf,) = emitted()
    assert (emf["ReferencesFailed"], emf["ReferencesSucceeded"]) == ([7.0], [0.0])
    assert emf["EnrichErrors"] == [7.0]
    assert "EventsPerSecond" not in emf


def test_errors_may_be_fewer_than_failures(emitted):
    """A service that retries from one record on counts one error, whatever comes behind it."""
    metrics = service_metrics("test")
    with measured(metrics, NAMES, 7) as batch:
        batch.failed, batch.errors = 5, 1
    metrics.flush_metrics()
    (emf,) = emitted()
    assert (emf["ReferencesFailed"], emf["EnrichErrors"]) == ([5.0], [1.0])


def test_the_service_is_built_once(new_handler):
    """The first event builds the service; the next ones use it."""
    built: list[list[str]] = []

    def build() -> list[str]:
        built.append([])
        return built[-1]

    def process(service: list[str], reference: Reference) -> Done:
        service.append(reference.commit_id)
        return Done(1)

    handler = new_handler(process, build)
    for _ in range(3):
        handler(sqs_event([REFERENCE.to_json()]), lambda_context())
    assert built == [[REFERENCE.commit_id] * 3]


def test_a_service_that_cannot_be_built_is_counted_and_tried_again(
    new_handler, emitted, monkeypatch
):
    """A missing variable is named at each event, all of whose messages count as errors."""
    logger = service_logger("test")
    build = building(logger, NamedSettings, lambda settings: [settings.some_table])
    handler = new_handler(lambda service, reference: Done(len(service)), build)
    monkeypatch.delenv("SOME_TABLE", raising=False)
    with pytest.raises(ConfigError, match="SOME_TABLE"):
        handler(sqs_event(["{}", "{}"]), lambda_context())
    assert emitted()[0]["EnrichErrors"] == [2.0]
    monkeypatch.setenv("SOME_TABLE", "table")
    monkeypatch.setenv("LOG_LEVEL", "WARNING")
    answer = handler(sqs_event([REFERENCE.to_json()]), lambda_context())
    assert answer == {"batchItemFailures": []}
    assert logger.log_level == 30


def test_an_event_without_records_is_one_piece(emitted):
    """A schedule's event is a batch of one."""

    def work(service: list[str], event: Any, context: Any, batch: Batch) -> dict[str, Any]:
        batch.failed = 0
        return {"hours": 1}

    logger, metrics = service_logger("test"), service_metrics("test")
    handler = BatchHandler(logger, metrics, NAMES, list, work)
    assert handler({"source": "aws.events"}, lambda_context()) == {"hours": 1}
    assert emitted()[0]["ReferencesSucceeded"] == [1.0]


def test_memory_is_a_high_water_mark():
    """What a process held once is in the figure after it was let go."""
    code = "from millrace.batch import max_memory_mb as now; bytearray(96 << 20); print(now())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert 96 < float(done.stdout) < 1000


def test_memory_is_the_processs_own():
    """A small process started by a large one says what it held itself.

    getrusage(2) would not: Linux carries the starting process's peak over into the new program.
    """
    small = "from millrace.batch import max_memory_mb as now; print(now())"
    large = (
        "import subprocess, sys; held = bytearray(300 << 20); "
        f"subprocess.run([sys.executable, '-c', {small!r}], check=True)"
    )
    done = subprocess.run([sys.executable, "-c", large], capture_output=True, check=True)
    assert 1 < float(done.stdout) < 200
