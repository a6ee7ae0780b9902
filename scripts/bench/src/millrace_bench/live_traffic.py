"""Live traffic at an even rate, and how long its events took from arrival to being counted."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from uuid import uuid4

import orjson

from millrace.aws.ledger import DynamoLedger
from millrace.commit import Commit, ShardKey, Stage
from millrace.times import format_ms, parse_rfc3339, to_epoch_ms
from millrace_cli.environment import Environment
from millrace_cli.kinesis import KinesisStream
from millrace_cli.records import OutRecord

_TICK_S = 0.25
_DEADLINE_S = 300.0


class NeverCounted(Exception):
    """Some live event was sent and is not counted by any means."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which traffic was sent."""

    start_ms: int
    end_ms: int


@dataclass(slots=True)
class Lags:
    """Milliseconds from arrival to aggregated, event by event."""

    of_events: list[int] = field(default_factory=list)

    def percentile_s(self, percent: float) -> float:
        """Return the lag that so many percent of the events did not pass, in seconds."""
        ordered = sorted(self.of_events)
        return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)] / 1000


class LiveTraffic:
    """Sends made-up events of now, so many a second, each with an id of its own."""

    def __init__(self, environment: Environment, per_second: int) -> None:
        outputs, clients = environment.outputs, environment.clients
        self._stream = KinesisStream(clients.kinesis(), outputs.stream_arn)
        shards = clients.kinesis().list_shards(StreamARN=outputs.stream_arn)["Shards"]
        self._shards = [ShardKey(outputs.stream_incarnation, each["ShardId"]) for each in shards]
        self._ledger = DynamoLedger(clients.dynamodb(), outputs.tables.commits)
        self._a_tick = max(1, round(per_second * _TICK_S))
        self._source = f"live-{uuid4().hex[:8]}"
        self._sent = 0

    @contextmanager
    def flowing(self) -> Iterator[list[Span]]:
        """Send until the block ends; the list then holds the span of it."""
        ended, spans, started = threading.Event(), list[Span](), _now_ms()
        sender = threading.Thread(target=self._send_until, args=(ended,), name="live traffic")
        sender.start()
        try:
            yield spans
        finally:
            ended.set()
            sender.join()
            spans.append(Span(started, _now_ms()))

    def _send_until(self, ended: threading.Event) -> None:
        due = time.monotonic()
        while not ended.wait(max(0.0, due - time.monotonic())):
            due += _TICK_S
            self._stream.put([self._event(self._sent + number) for number in range(self._a_tick)])
            self._sent += self._a_tick

    def _event(self, number: int) -> OutRecord:
        entity = f"user_{number % 500}"
        event = {
            "event_id": f"live-{number}",
            "event_type": "live",
            "entity_id": entity,
            "event_time": format_ms(datetime.now(UTC)),
            "source": self._source,
        }
        return OutRecord(orjson.dumps(event), entity)

    def lags(self, spans: list[Span]) -> Lags:
        """Return the lags of the events that arrived in the spans, once all sent are counted.

        Raises:
            NeverCounted: some event is not, minutes after the last was sent.
        """
        deadline = time.monotonic() + _DEADLINE_S
        while time.monotonic() < deadline:
            found = list(self._commits())
            lines = sum(len(each.body.lines) for each in found)
            if lines >= self._sent and all(Stage.AGGREGATED in each.head.marks for each in found):
                return _lags(found, spans)
            time.sleep(1)
        raise NeverCounted(f"{self._sent} live events sent, {lines} committed, and not all counted")

    def _commits(self) -> Iterator[Commit]:
        """Yield the commits that hold live events: the newest, as nothing else is sent."""
        for shard in self._shards:
            for head in self._ledger.latest_first(shard):
                commit = self._ledger.load(shard, head.first_seq)
                if not all(each.source == self._source for each in commit.body.stats):
                    break
                yield commit


def _lags(commits: list[Commit], spans: list[Span]) -> Lags:
    lags = Lags()
    for commit in commits:
        counted_ms = to_epoch_ms(parse_rfc3339(str(commit.head.marks[Stage.AGGREGATED]["at"])))
        lags.of_events += [
            counted_ms - line.arrival_ms
            for line in commit.body.lines
            if any(span.start_ms <= line.arrival_ms < span.end_ms for span in spans)
        ]
    return lags


def _now_ms() -> int:
    return to_epoch_ms(datetime.now(UTC))
