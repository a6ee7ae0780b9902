"""Replay: how fast the worker sends, and that its memory does not grow with the plan."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter

from aws_lambda_powertools import Logger

from millrace.aggregates import Version
from millrace.aws.objects import S3Objects
from millrace.aws.queue import SqsBatches, SqsQueue
from millrace.aws.replays import DynamoReplays
from millrace.batch import max_memory_mb
from millrace.clock import SystemClock
from millrace.keys import plan_chunk_key
from millrace.raw_lines import pack
from millrace.replay.operations import Operations, Order
from millrace.replay.plan import Chunk, Estimate, Plan, chunk_of
from millrace.replay.planned import PlannedEvent
from millrace.replay.planning import CHUNK_MESSAGES
from millrace.replay.record import Replay
from millrace.replay.selection import Selection
from millrace_bench.figure import Figure
from millrace_local import engine as life_cycle
from millrace_testing.tables import REPLAYS, create_table
from replay.adapters import MonotonicStopwatch, SideBySide
from replay.domain import BATCH, ROUND, Bounds, Signs
from replay.service import Worker

WHAT = "100,000 messages of one plan through the worker, beside bare SendMessageBatch calls"

_ENGINE, _NAME = "bench-replay", "millrace-bench-replay"
_MESSAGES, _BARE, _EARLY = 100_000, 10_000, 20_000
_THREADS = 8
_START = datetime(2025, 12, 28, tzinfo=UTC)


class _Calm:
    """`replay.ports.Surroundings` in which nothing speaks against sending."""

    def signs(self, replay: Replay) -> Signs:
        del replay
        return Signs()


@dataclass(frozen=True, slots=True)
class _Bench:
    """The worker on an engine's resources."""

    worker: Worker
    queue: SqsBatches
    side_by_side: SideBySide
    ledger: DynamoReplays
    objects: S3Objects


def run() -> list[Figure]:
    """Return messages a second, and the peak of memory early and at the end."""
    with _bench() as bench:
        one, all_threads = (
            _rate(bench.queue.send_all, BATCH),
            _rate(bench.side_by_side.send_all, ROUND),
        )
        replay = _applied(bench)
        started, early_mb = perf_counter(), 0.0
        while (turn := bench.worker.turn(replay.replay_id, 2.0)).goes_on:
            if turn.sent and not early_mb and _sent(bench, replay) >= _EARLY:
                early_mb = max_memory_mb()
            if _sent(bench, replay) >= _MESSAGES:
                break
        took_s = perf_counter() - started
    one_name, all_name = "SendMessageBatch, one thread", f"SendMessageBatch, {_THREADS} threads"
    early_name, late_name = f"peak memory after {_EARLY:,}", f"peak memory after {_MESSAGES:,}"
    return [
        Figure(one_name, one, "messages/s"),
        Figure(all_name, all_threads, "messages/s", one_name),
        Figure("worker", _MESSAGES / took_s, "messages/s", all_name, "5,000/s"),
        Figure(early_name, early_mb, "MB"),
        Figure(late_name, max_memory_mb(), "MB", early_name, "flat"),
    ]


def _sent(bench: _Bench, replay: Replay) -> int:
    return bench.ledger.replay(replay.replay_id).cursor.sent


def _rate(send: Callable[[Sequence[str]], None], size: int) -> float:
    bodies = [_event(n).message("b", "r", Version("1")).to_json() for n in range(_BARE)]
    started = perf_counter()
    for first in range(0, _BARE, size):
        send(bodies[first : first + size])
    return _BARE / (perf_counter() - started)


def _applied(bench: _Bench) -> Replay:
    plan = _plan(bench.objects)
    bench.ledger.save_plan(plan)
    return bench.worker.operations.apply(plan.plan_id, Order("bench", "to measure", 10_000))


def _plan(objects: S3Objects) -> Plan:
    chunks: list[Chunk] = []
    for number, first in enumerate(range(0, _MESSAGES, CHUNK_MESSAGES)):
        lines = [_event(n).to_line() for n in range(first, first + CHUNK_MESSAGES)]
        body = pack(lines).body
        key = plan_chunk_key(_NAME, number)
        objects.put_new(key, body)
        chunks.append(chunk_of(key, lines, body))
    return Plan(
        plan_id=f"{_NAME}-0",
        created_at=_START,
        created_by="bench",
        selection=Selection(_START, _START + timedelta(days=1), limit=None),
        defs_version="none",
        events=_MESSAGES,
        duplicates=0,
        objects=1,
        members=1,
        read_bytes=0,
        first_event=_START,
        last_event=_START,
        chunks=tuple(chunks),
        coverage={},
        estimate=Estimate(0, 0, 0),
        rate=10_000,
    )


def _event(number: int) -> PlannedEvent:
    return PlannedEvent(
        event_id=f"event-{number:08d}",
        entity_id=f"user_{number % 1000}",
        event_time=_START,
        arrival_time=_START,
        key="raw/dt=2025-12-28/hour=09/shardId-000000000000-1-00000000.ndjson.gz",
        offset=number // 100 * 10_000,
        length=10_000,
        line=number % 100,
        correlation_id="bench",
        source="bench",
    )


@contextmanager
def _bench() -> Iterator[_Bench]:
    life_cycle.start(_ENGINE, 0)
    try:
        client = life_cycle.running(_ENGINE).client
        s3, sqs, dynamodb = client("s3"), client("sqs"), client("dynamodb")
        s3.create_bucket(Bucket=_NAME)
        create_table(dynamodb, _NAME, REPLAYS)
        messages, wake = (
            sqs.create_queue(QueueName=f"{_NAME}-{name}")["QueueUrl"] for name in ("all", "wake")
        )
        ledger, objects = DynamoReplays(dynamodb, _NAME), S3Objects(s3, _NAME)
        queue, clock = SqsBatches(sqs, messages), SystemClock()
        side_by_side = SideBySide(queue, ThreadPoolExecutor(_THREADS))
        worker = Worker(
            ledger=ledger,
            objects=objects,
            destination=lambda _: side_by_side,
            surroundings=_Calm(),
            wake=SqsQueue(sqs, wake),
            operations=Operations(ledger, SqsQueue(sqs, wake), messages, clock),
            clock=clock,
            stopwatch=MonotonicStopwatch(),
            bounds=Bounds(60, 1_000_000),
            bucket=_NAME,
            look_again_s=1,
            logger=Logger(service="bench"),
        )
        yield _Bench(worker, queue, side_by_side, ledger, objects)
    finally:
        life_cycle.stop(_ENGINE)
