"""The API on fakes, and requests as API Gateway hands them on."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from investigate.handler import handle
from investigate.service import Desk
from millrace.aggregates import LIVE, AggregateKey, AggregateRow, Dimension, Scope, Version
from millrace.aws.aggregate_fields import row_json
from millrace.aws.aggregates import scope_of
from millrace.commit import Checkpoint, CommitHead, Owner
from millrace.index import pages_of
from millrace.investigate.aggregates import AggregatePages
from millrace.investigate.biographer import Biographer
from millrace.investigate.cockpit.commands import Commands
from millrace.investigate.cockpit.findings import Check
from millrace.investigate.cockpit.telling import Inspection
from millrace.investigate.counted import CountTrail
from millrace.investigate.duplicates import Duplicates
from millrace.investigate.finding import EventFinder
from millrace.investigate.gaps import Gaps
from millrace.investigate.late import LateEvents
from millrace.investigate.retold import ReplayTrail
from millrace.investigate.sources import Sources
from millrace.investigate.timeline import Timeline
from millrace.investigate.unfinished import LastOfShard
from millrace.read_cost import Budget
from millrace.stored import raw_place, stored_event
from millrace.times import to_epoch_ms
from millrace.windows import WindowWidth, window_of
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes, index_entry
from millrace_testing.fakes import FakeIndex, FakeLedger, FakeObjects, FixedClock
from millrace_testing.investigation import FakeCommitPages, FakeGate, FakeManifests, FakeRows
from millrace_testing.lambda_context import lambda_context
from millrace_testing.replays import FakeReplays

EVENTS = 42
ODD_IDS = ("#en.wikipedia/Main page", "100%25", "a?b", "~tilde", "ü/ß#1")
FIRST_SEQ = 9

Send = Callable[..., tuple[dict[str, Any], dict[str, Any]]]


class FakeScopeRows(FakeRows):
    """Rows of one scope, in order."""

    def query(
        self,
        scope: Scope,
        width: WindowWidth,
        *,
        metric: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        version: Version | None = LIVE,
    ) -> list[AggregateRow]:
        """Return the rows, in order of time, then version, then metric."""
        return sorted(
            (
                row
                for row in self.stored
                if (row.key.scope, row.key.window.width) == (scope, width)
                and metric in (None, row.key.metric)
                and version in (None, row.key.version)
                and (start is None or start <= row.key.window.start)
                and (end is None or row.key.window.start < end)
            ),
            key=lambda row: (row.key.window.start, row.key.version, row.key.metric),
        )


@dataclass
class FakeUnfinished:
    """`millrace.investigate.unfinished.Unfinished` in lists."""

    heads: list[CommitHead] = field(default_factory=list)
    since: list[datetime] = field(default_factory=list)
    last: list[LastOfShard] = field(default_factory=list)

    def commits(self, most: int) -> list[CommitHead]:
        """Return the first of them."""
        return self.heads[:most]

    def discarded_since(self) -> list[datetime]:
        """Return them."""
        return self.since

    def shards(self) -> list[LastOfShard]:
        """Return them."""
        return self.last


class World:
    """A commit of events of seven entities and of some with odd ids, in the index and the gate."""

    odd_ids = ODD_IDS

    def __init__(self) -> None:
        self.clock = FixedClock(ARRIVAL + timedelta(hours=1))
        self.ledger, self.objects, self.index = FakeLedger(), FakeObjects(), FakeIndex(4)
        self.gate, self.rows, self.unfinished = FakeGate(), FakeScopeRows(), FakeUnfinished()
        self.checks: list[Check] = [Check("shards", "1 shard")]
        self.pages = FakeCommitPages(self.ledger, page_commits=1)
        lines = [event_bytes(n) for n in range(EVENTS)]
        lines += [
            event_bytes(EVENTS + n, event_id=odd, entity_id=odd) for n, odd in enumerate(ODD_IDS)
        ]
        self.commit, raw = commit_of(lines, shard=SHARD, first_seq=FIRST_SEQ)
        self.objects.put_new(str(self.commit.head.raw_key), raw)
        assert self.ledger.commit(self.ledger.read(SHARD), Checkpoint(1, 0, ()), self.commit)
        entries = [index_entry(n, shard=SHARD, first_seq=FIRST_SEQ, line=n) for n in range(EVENTS)]
        entries += [
            index_entry(
                EVENTS + n, shard=SHARD, first_seq=FIRST_SEQ, line=EVENTS + n, event_id=odd,
                entity_id=odd,
            )
            for n, odd in enumerate(ODD_IDS)
        ]  # fmt: skip
        days = self.index.settled_buckets({entry.day for entry in entries})
        self.index.write(pages_of(entries, ARRIVAL, days))
        for entry in entries:
            owner = Owner(str(SHARD), FIRST_SEQ + entry.line, 0)
            self.gate.owners[entry.source, entry.event_id] = owner
        self.rows.stored = [row(hour, metric) for hour in range(3) for metric in ("count", "users")]

    def stored(self, entry):
        """Return an event's bytes."""
        place = raw_place(self.commit, entry.line)
        member = self.objects.get_range(place.key, place.offset, place.length)
        return stored_event(self.commit, entry.line, place, member)

    @property
    def biographer(self) -> Biographer:
        finder = EventFinder(self.gate, self.ledger, self.index, self.objects)
        counts, trail = CountTrail(self.objects, self.rows), ReplayTrail(FakeReplays())
        return Biographer(
            finder, self.pages, self.objects, counts, FakeManifests(), trail, self.clock
        )

    def inspect(self, since: datetime, _budget: Budget) -> Inspection:
        """Return what the cockpit found: set by tests."""
        return Inspection(since, self.checks, complete=True)

    @property
    def desk(self) -> Desk:
        return Desk(
            biographer=lambda: self.biographer,
            timeline=lambda: Timeline(self.index, self.stored),
            gaps=Gaps(self.index, self.clock),
            commits=self.pages,
            duplicates=Duplicates(self.pages, self.ledger, self.objects),
            late=LateEvents(self.pages, self.objects),
            sources=Sources(self.pages, self.objects),
            aggregates=AggregatePages(self.rows),
            row_json=row_json,
            scope_of=scope_of,
            unfinished=self.unfinished,
            inspect=self.inspect,
            commands=Commands({"archive": "mr-archive"}, "mr"),
            cost=self.pages.cost,
            clock=self.clock,
        )


def row(hour: int, metric: str) -> AggregateRow:
    """Return a live row of TYPE#view."""
    window = window_of(ARRIVAL + timedelta(hours=hour), WindowWidth.HOUR)
    key = AggregateKey(Scope.of(Dimension.TYPE, "view"), window, metric)
    return AggregateRow(key, 10**20 + hour, 7, 99, ("event-1",), "d1", ARRIVAL)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def send(world: World) -> Send:
    """Send a request through the handler; return the response and its parsed body."""

    def sent(
        route: str, part: str | None = None, *, remaining_ms: int = 29_000, **query: object
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        texts = {name.removesuffix("_"): str(value) for name, value in query.items()}
        event = request(route, part, texts)
        response = handle(event, lambda_context(remaining_ms), world.desk)
        return response, json.loads(response["body"])

    return sent


def request(route: str, part: str | None, query: Mapping[str, str]) -> dict[str, Any]:
    """Return a signed request in payload format 2.0; what is empty is left out."""
    method, _, path = route.partition(" ")
    name = "path" if "path+" in path else "id"
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "headers": {},
        "requestContext": {
            "requestId": "JKJaXmPLvHcESHA=",
            "timeEpoch": to_epoch_ms(ARRIVAL),
            "authorizer": {"iam": {"userArn": "arn:aws:iam::123456789012:user/ana"}},
            "http": {"method": method, "path": path},
        },
        "isBase64Encoded": False,
        **({"pathParameters": {name: part}} if part is not None else {}),
        **({"queryStringParameters": dict(query)} if query else {}),
    }
