"""Ingest on fakes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count

import pytest
from aws_lambda_powertools import Logger
from fake_gate import FakeGate

from ingest.domain.records import StreamRecord
from ingest.handler import metrics
from ingest.service import BatchResult, Ingest
from millrace.event import EventLimits
from millrace.times import to_epoch_ms
from millrace_testing.builders import ARRIVAL, SHARD
from millrace_testing.discards import FakeDiscards
from millrace_testing.fakes import FakeLedger, FakeObjects, FakeQueue, FixedClock


@dataclass
class World:
    """Everything ingest touches, and a way to deliver records to it."""

    service: Ingest
    ledger: FakeLedger
    gate: FakeGate
    objects: FakeObjects
    queue: FakeQueue
    discards: FakeDiscards

    def with_port(self, **ports: object) -> "World":
        """Return the same world with some ports of the service replaced."""
        return replace(self, service=replace(self.service, **ports))

    def deliver(self, records: Sequence[StreamRecord]) -> BatchResult:
        return self.service.ingest(SHARD, records, "request-1")


@pytest.fixture(autouse=True)
def _no_metrics_of_other_tests() -> None:
    metrics.clear_metrics()


@pytest.fixture(scope="session")
def new_world() -> Callable[[], World]:
    """Make worlds, for tests that need more than one."""
    return make_world


@pytest.fixture
def world() -> World:
    return make_world()


def make_world() -> World:
    ledger, gate, objects, queue = FakeLedger(), FakeGate(), FakeObjects(), FakeQueue()
    discards = FakeDiscards(ledger)
    numbers = count()
    service = Ingest(
        checkpoints=ledger,
        abandonments=discards,
        gate=gate,
        objects=objects,
        references=queue,
        clock=FixedClock(ARRIVAL),
        limits=EventLimits(),
        allowed_lateness=timedelta(hours=1),
        logger=Logger(service="ingest-test"),
        new_unique=lambda: f"uuid{next(numbers)}",
    )
    return World(service, ledger, gate, objects, queue, discards)


@pytest.fixture
def stream() -> Callable[..., list[StreamRecord]]:
    """Make records of one shard from bytes, numbered from `first_seq`."""

    def make(datas: Sequence[bytes], first_seq: int = 100) -> list[StreamRecord]:
        arrival_ms = to_epoch_ms(ARRIVAL)
        return [StreamRecord(first_seq + n, arrival_ms, data) for n, data in enumerate(datas)]

    return make
