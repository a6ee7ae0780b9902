"""The front door on a stream in memory, and requests as API Gateway hands them on."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from ingest_api.domain.events import Record
from ingest_api.handler import handle
from ingest_api.ports import PutResult
from ingest_api.service import FrontDoor
from millrace.event import EventLimits
from millrace.times import to_epoch_ms
from millrace_testing.builders import ARRIVAL
from millrace_testing.lambda_context import lambda_context


@dataclass
class FakeStream:
    """`ingest_api.ports.Stream` in a list; the indexes in `failing` fail."""

    failing: Mapping[int, str] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    budgets: list[float] = field(default_factory=list)

    def put(self, records: Sequence[Record], within_s: float) -> PutResult:
        self.budgets.append(within_s)
        self.records += [each for n, each in enumerate(records) if n not in self.failing]
        return PutResult(self.failing, 3 * len(self.failing))


@pytest.fixture
def stream() -> FakeStream:
    return FakeStream()


@pytest.fixture
def front_door(stream: FakeStream) -> FrontDoor:
    return FrontDoor(stream, EventLimits(), max_body_bytes=10 * 1024 * 1024)


@pytest.fixture
def post(front_door: FrontDoor) -> Callable[..., tuple[dict[str, Any], dict[str, Any]]]:
    """Send a body through the handler; return the response and its parsed body."""

    def send(
        body: bytes | str, *, remaining_ms: int = 25_000, **headers: str
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        event = api_event(body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = handle(event, lambda_context(remaining_ms), front_door)
        return response, json.loads(response["body"])

    return send


def api_event(body: bytes | str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return a request in payload format 2.0; bytes go as base64, as the gateway sends them."""
    encoded = b64encode(body).decode() if isinstance(body, bytes) else body
    return {
        "version": "2.0",
        "routeKey": "POST /ingest",
        "rawPath": "/ingest",
        "headers": dict(headers),
        "requestContext": {
            "requestId": "JKJaXmPLvHcESHA=",
            "timeEpoch": to_epoch_ms(ARRIVAL),
            "http": {"method": "POST", "path": "/ingest"},
        },
        "body": encoded,
        "isBase64Encoded": isinstance(body, bytes),
    }
