"""The replay API on fakes, and requests as API Gateway hands them on."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from millrace.commit import Checkpoint
from millrace.definitions import parse
from millrace.index import pages_of
from millrace.replay.operations import Operations
from millrace.replay.planning import MetricDefinitions, Planner
from millrace.times import to_epoch_ms
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes, index_entry
from millrace_testing.fakes import FakeIndex, FakeLedger, FakeObjects, FakeQueue, FixedClock
from millrace_testing.lambda_context import lambda_context
from millrace_testing.metrics import metric
from millrace_testing.replays import FakeReplays
from replay_api.handler import handle
from replay_api.service import ReplayDesk

CALLER = "arn:aws:iam::123456789012:user/ana"
MINE = "arn:aws:sqs:eu-central-1:123456789012:mine"
MINE_URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/mine"
EVENTS = 40
TOML = metric("n", dimensions=("type", "entity"))

Send = Callable[..., tuple[dict[str, Any], dict[str, Any]]]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(ARRIVAL)


@pytest.fixture
def replays() -> FakeReplays:
    return FakeReplays()


@pytest.fixture
def work() -> FakeQueue:
    return FakeQueue()


@pytest.fixture
def index() -> FakeIndex:
    """The pages of one commit of 40 events, an hour apart."""
    index = FakeIndex(4)
    entries = [
        index_entry(n, shard=SHARD, first_seq=9, line=n, event_time=ARRIVAL - timedelta(hours=n))
        for n in range(EVENTS)
    ]
    index.write(pages_of(entries, ARRIVAL, index.settled_buckets({each.day for each in entries})))
    return index


@pytest.fixture
def commits() -> FakeLedger:
    ledger = FakeLedger()
    commit, _ = commit_of([event_bytes(n) for n in range(EVENTS)], shard=SHARD, first_seq=9)
    assert ledger.commit(ledger.read(SHARD), Checkpoint(1, 0, ()), commit)
    return ledger


@pytest.fixture
def planner(
    index: FakeIndex, commits: FakeLedger, replays: FakeReplays, clock: FixedClock
) -> Planner:
    return Planner(index, commits, FakeObjects(), replays, clock)


@pytest.fixture
def desk(planner: Planner, replays: FakeReplays, work: FakeQueue, clock: FixedClock) -> ReplayDesk:
    return ReplayDesk(
        planner=planner,
        operations=Operations(replays, work, "https://sqs/replay", clock),
        metrics=lambda: MetricDefinitions(parse(TOML, "metrics.toml"), TOML),
        target_queues={MINE: MINE_URL},
        max_events=50_000,
    )


@pytest.fixture
def send(desk: ReplayDesk) -> Send:
    """Send a request through the handler; return the response and its parsed body."""

    def sent(
        route: str, body: object = None, *, remaining_ms: int = 29_000, **parts: object
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        text = body if isinstance(body, str) else json.dumps(body)
        event = _request(route, text, **parts)
        response = handle(event, lambda_context(remaining_ms), desk)
        return response, json.loads(response["body"])

    return sent


def _request(
    route: str,
    body: str = "",
    replay_id: str | None = None,
    query: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return a signed request in payload format 2.0; what is empty is left out."""
    method, _, path = route.partition(" ")
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path.replace("{id}", replay_id or ""),
        "headers": {},
        "requestContext": {
            "requestId": "JKJaXmPLvHcESHA=",
            "timeEpoch": to_epoch_ms(ARRIVAL),
            "authorizer": {"iam": {"userArn": CALLER}},
            "http": {"method": method, "path": path},
        },
        "isBase64Encoded": False,
        **({"body": body} if body else {}),
        **({"pathParameters": {"id": replay_id}} if replay_id is not None else {}),
        **({"queryStringParameters": dict(query)} if query else {}),
    }


@pytest.fixture
def api_event() -> Callable[..., dict[str, Any]]:
    """Make such a request, to change it before it is sent."""
    return _request
