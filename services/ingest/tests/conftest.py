"""Ingest on fakes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count

import pytest
from aws_lambda_powertools import Logger

from ingest.domain.deduplication import Claim, Holder
from ingest.domain.records import StreamRecord
from ingest.handler import metrics
from ingest.ports import HasTime, always
from ingest.service import BatchResult, Ingest
from millrace.event import EventLimits
from millrace.times import to_epoch_ms
from millrace_testing.builders import ARRIVAL, SHARD
from millrace_testing.fakes import FakeLedger, FakeObjects, FakeQueue, FixedClock


@dataclass
class FakeGate:
    """`ingest.ports.Gate` in a dictionary; `throttled` keys stay unresolved."""

    holders: dict[bytes, tuple[Holder, int]] = field(default_factory=dict)
    throttled: set[bytes] = field(default_factory=set)
    horizon_s: int = 30 * 86_400

    def claim(self, claims: Sequence[Claim], has_time: HasTime = always) -> Mapping[bytes, Holder]:
        answer = {}
        for claim in claims:
            if not has_time():
                break
            if claim.gate_key in self.throttled:
                continue
            arrival_s = claim.arrival_ms // 1000
            mine = Holder(claim.owner, claim.content_hash), arrival_s + self.horizon_s
            holder, expires_at = self.holders.get(claim.gate_key, mine)
            if expires_at <= arrival_s and holder.owner != claim.owner:
                holder, expires_at = mine
            self.holders[claim.gate_key] = holder, expires_at
            answer[claim.gate_key] = holder
        return answer


@dataclass
class World:
    """Everything ingest touches, and a way to deliver records to it."""

    service: Ingest
    ledger: FakeLedger
    gate: FakeGate
    objects: FakeObjects
    queue: FakeQueue

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
    numbers = count()
    service = Ingest(
        checkpoints=ledger,
        gate=gate,
        objects=objects,
        references=queue,
        clock=FixedClock(ARRIVAL),
        limits=EventLimits(),
        allowed_lateness=timedelta(hours=1),
        logger=Logger(service="ingest-test"),
        new_unique=lambda: f"uuid{next(numbers)}",
    )
    return World(service, ledger, gate, objects, queue)


@pytest.fixture
def stream() -> Callable[..., list[StreamRecord]]:
    """Make records of one shard from bytes, numbered from `first_seq`."""

    def make(datas: Sequence[bytes], first_seq: int = 100) -> list[StreamRecord]:
        arrival_ms = to_epoch_ms(ARRIVAL)
        return [StreamRecord(first_seq + n, arrival_ms, data) for n, data in enumerate(datas)]

    return make
