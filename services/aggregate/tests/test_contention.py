"""Two workers on the same rows."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from aggregate_stories import Clients

from aggregate.adapters.counters import DynamoCounters
from aggregate.adapters.marks import PartMarks
from aggregate.domain.packing import Counter, Part
from aggregate.domain.units import ReplayUnit
from millrace.aggregates import AggregateKey, Dimension, Scope, Version
from millrace.aws.aggregates import AggregatesReader
from millrace.clock import SystemClock
from millrace.counting.deltas import Delta
from millrace.errors import RetryableError
from millrace.windows import WindowWidth, window_of
from millrace_testing.builders import ARRIVAL
from millrace_testing.crash.overlaps import OverlapRefusing

pytestmark = [pytest.mark.engine, pytest.mark.exhaustive, pytest.mark.aggregation]

WORKERS, TURNS, ROWS = 2, 250, 20


def test_ten_thousand_contended_updates_are_exact(engine, figures):
    """Of two transactions that meet each turn one is refused, as by DynamoDB, and tried again."""
    wire, scope = OverlapRefusing(), Scope.of(Dimension.TYPE, uuid4().hex)
    window = window_of(ARRIVAL, WindowWidth.HOUR)
    rows = [
        Counter(AggregateKey(scope, window, f"m{number}"), Delta(number, 1, 2**63, ("e",)))
        for number in range(ROWS)
    ]
    clean = Clients.of(engine.endpoint, prefix="contention")
    clean.create_resources()
    both_ready = Barrier(WORKERS, wire.hold_next, timeout=60)

    def work(worker):
        clients = Clients.of(engine.endpoint, wire, prefix="contention")
        clock = SystemClock()
        marks = PartMarks(
            clients.dynamodb, clients.commits, clients.markers, clock, timedelta(days=90)
        )
        counters = DynamoCounters(clients.dynamodb, clients.aggregates, marks, clock)
        for turn in range(TURNS):
            both_ready.wait()
            unit = ReplayUnit(Version("1766914200"), f"{scope.ids[0]}-{worker}", turn)
            delivered(counters, Part(unit, 0, tuple(rows), "d" * 16))

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, range(WORKERS)))
    reader = AggregatesReader(clean.dynamodb, clean.aggregates)
    found = {row.key.metric: row for row in reader.query(scope, WindowWidth.HOUR)}
    assert len(found) == ROWS
    for counter in rows:
        row = found[counter.key.metric]
        assert row.event_count == WORKERS * TURNS
        assert row.value == WORKERS * TURNS * counter.delta.value
        assert row.input_hash == WORKERS * TURNS * 2**63
    assert wire.refused >= TURNS
    figures(f"{WORKERS * TURNS * ROWS:,} updates, {wire.refused:,} transactions refused")


def delivered(counters, part):
    """Deliver a part until it is written, as its queue does."""
    while True:
        try:
            counters.add_once([part])
        except RetryableError:
            continue
        return
