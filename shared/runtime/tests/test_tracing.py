"""Subsegments as the daemon beside a function receives them: real datagrams."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from millrace.batch import BatchHandler, BatchNames
from millrace.consumer import Done, ReferenceConsumer
from millrace.observability import MetricName, service_logger, service_metrics
from millrace.reference import Reference
from millrace.tracing import traced
from millrace_testing.builders import commit_of, event_bytes, sqs_event
from millrace_testing.fakes import FixedClock
from millrace_testing.lambda_context import lambda_context

TRACE = "1-581cf771-a006649127e371903a2de979"
START = datetime(2026, 1, 1, tzinfo=UTC)
REFERENCE = Reference.to(commit_of([event_bytes()])[0].head)


@pytest.fixture
def received(monkeypatch) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The documents that the daemon has got so far; the invocation is sampled.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.setblocking(False)
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{daemon.getsockname()[1]}")
        sampled(monkeypatch, "1")

        def documents() -> list[dict[str, Any]]:
            found = []
            while True:
                try:
                    header, _, body = daemon.recv(65_536).partition(b"\n")
                except BlockingIOError:
                    return found
                assert json.loads(header) == {"format": "json", "version": 1}
                found.append(json.loads(body))

        yield documents


def sampled(monkeypatch: pytest.MonkeyPatch, flag: str) -> None:
    header = f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled={flag};Lineage=1:a:0"
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)


def test_each_piece_becomes_a_subsegment_of_the_invocation(received):
    """With the fields that X-Ray requires of a subsegment sent by itself, and its annotations.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
    """
    clock = FixedClock(START)
    with traced("archive", [{"correlation_id": "c" * 300}, {"correlation_id": "d"}], clock) as bad:
        clock.advance(timedelta(seconds=2))
        bad.add(1)
    first, second = received()
    assert re.fullmatch("[0-9a-f]{16}", first.pop("id"))
    assert first == {
        "type": "subsegment", "name": "archive", "trace_id": TRACE,
        "parent_id": "53995c3f42cd8ad8", "start_time": START.timestamp(),
        "end_time": START.timestamp() + 2, "annotations": {"correlation_id": "c" * 250},
    }  # fmt: skip
    assert second["fault"] is True
    assert second["annotations"] == {"correlation_id": "d"}


def test_an_exception_is_a_fault_and_goes_on(received):
    """The caller sees what it would have seen without a trace."""
    with pytest.raises(KeyError), traced("archive", [{}]):
        raise KeyError
    assert [each["fault"] for each in received()] == [True]


def test_what_is_not_sampled_is_not_sent(received, monkeypatch):
    """Nor what has no trace at all, as outside Lambda."""
    sampled(monkeypatch, "0")
    with traced("archive", [{}]):
        pass
    monkeypatch.delenv("_X_AMZN_TRACE_ID")
    with traced("archive", [{}]):
        pass
    assert received() == []


@pytest.mark.parametrize("address", ["", "nowhere", "127.0.0.1:", "no such host:2000"])
def test_a_daemon_that_cannot_be_reached_costs_nothing(received, monkeypatch, address):
    """The work is done all the same."""
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", address)
    with traced("archive", [{}]):
        done = True
    assert done


@pytest.mark.batch
def test_every_reference_of_a_batch_is_found_by_its_correlation_id(received):
    """Under its service's name; a message that is no reference has no ids to be found by."""

    def process(service: list[str], reference: Reference) -> Done:
        if service:
            raise ValueError(reference.commit_id)
        service.append(reference.commit_id)
        return Done(1)

    logger, metrics = service_logger("enrich"), service_metrics("enrich")
    handler = BatchHandler(
        logger, metrics, BatchNames(MetricName.ENRICH_ERRORS), list[str],
        ReferenceConsumer(logger, Reference.parse, process),
    )  # fmt: skip
    handler(sqs_event([REFERENCE.to_json(), "not JSON", REFERENCE.to_json()]), lambda_context())
    documents = received()
    assert [(each["name"], each.get("fault", False)) for each in documents] == [
        ("enrich", False), ("enrich", True),
    ]  # fmt: skip
    assert {each["annotations"]["correlation_id"] for each in documents} == {
        REFERENCE.correlation_id
    }
