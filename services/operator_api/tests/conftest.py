"""The operator API on fakes, and requests as API Gateway hands them on."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from millrace.times import to_epoch_ms
from millrace_testing.builders import ARRIVAL
from millrace_testing.dead_letters import FakeConsumer, FakeDeadLetters, FakeNotes
from millrace_testing.fakes import FakeAudit, FixedClock
from millrace_testing.lambda_context import lambda_context
from operator_api.handler import handle
from operator_api.service import Desk

CALLER = "arn:aws:iam::123456789012:user/ana"

Send = Callable[..., tuple[dict[str, Any], dict[str, Any]]]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(ARRIVAL)


@pytest.fixture
def letters(clock: FixedClock) -> FakeDeadLetters:
    return FakeDeadLetters(clock)


@pytest.fixture
def consumer(letters: FakeDeadLetters, notes: FakeNotes, clock: FixedClock) -> FakeConsumer:
    return FakeConsumer(letters, notes, clock, lambda _body: "")


@pytest.fixture
def notes() -> FakeNotes:
    return FakeNotes()


@pytest.fixture
def audit() -> FakeAudit:
    return FakeAudit()


@pytest.fixture
def desk(letters: FakeDeadLetters, notes: FakeNotes, audit: FakeAudit, clock: FixedClock) -> Desk:
    def wait(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    return Desk({"aggregate": letters}, notes, audit, clock, wait)


@pytest.fixture
def send(desk: Desk) -> Send:
    """Send a request through the handler; return the response and its parsed body."""

    def sent(
        route: str, body: object = None, *, remaining_ms: int = 29_000, **parts: object
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        text = body if isinstance(body, str) else json.dumps(body)
        response = handle(_request(route, text, **parts), lambda_context(remaining_ms), desk)
        return response, json.loads(response["body"])

    return sent


def _request(
    route: str, body: str, queue: str = "aggregate", query: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return a signed request in payload format 2.0; what is empty is left out."""
    method, _, path = route.partition(" ")
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path.replace("{queue}", queue),
        "headers": {},
        "requestContext": {
            "requestId": "JKJaXmPLvHcESHA=",
            "timeEpoch": to_epoch_ms(ARRIVAL),
            "authorizer": {"iam": {"userArn": CALLER}},
            "http": {"method": method, "path": path},
        },
        "isBase64Encoded": False,
        "body": body,
        **({"pathParameters": {"queue": queue}} if "{queue}" in path else {}),
        **({"queryStringParameters": dict(query)} if query else {}),
    }
