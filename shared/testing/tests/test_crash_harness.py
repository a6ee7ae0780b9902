"""The harness finds what it is made to find."""

from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from millrace_testing.crash.explore import explore, explore_pairs, sampled
from millrace_testing.crash.wire import Fault, FaultKind, Wire
from millrace_testing.wait import wait_until


class Request:
    """As much of a prepared request as the wire looks at."""

    headers: ClassVar = {"X-Amz-Target": "DynamoDB_20120810.PutItem"}
    url = "http://127.0.0.1:1"


@dataclass
class Ledger:
    """A service with two effects per piece of work, each one call on the wire."""

    wires: tuple[Wire, Wire]
    idempotent: bool
    debits: list[int] = field(default_factory=list)
    credits: list[int] = field(default_factory=list)

    def attempt(self) -> None:
        self.transfer(self.wires[0])

    def retry(self) -> None:
        self.transfer(self.wires[1])

    def recover(self) -> None:
        self.transfer(Wire())

    def observe(self) -> tuple[int, int]:
        return len(self.debits), len(self.credits)

    def transfer(self, wire: Wire) -> None:
        for effects in (self.debits, self.credits):
            wire.pass_through(Request(), lambda _, effects=effects: self.book(effects))

    def book(self, effects: list[int]) -> object:
        if not (self.idempotent and effects):
            effects.append(1)
        return object()


CRASHES = (FaultKind.CRASH_BEFORE, FaultKind.CRASH_AFTER, FaultKind.PAUSE_AFTER)


@pytest.fixture
def wires() -> tuple[Wire, Wire]:
    return Wire(), Wire()


def test_idempotent_work_survives(wires):
    """Work that is keyed ends the same whatever happens to its calls."""
    outcome = explore(lambda: Ledger(wires, idempotent=True), wires[0], CRASHES)
    assert (outcome.points, outcome.survivors) == (6, 6)
    assert outcome.calls == ["PutItem", "PutItem"]


def test_a_lost_or_doubled_effect_is_a_difference(wires):
    """Work that is not keyed differs at some point, and the report names the call and the kind."""
    outcome = explore(lambda: Ledger(wires, idempotent=False), wires[0], CRASHES)
    assert outcome.differences
    assert "PutItem: call" in str(outcome)


def test_pairs_are_drawn_from_their_seed(wires):
    """The same seed gives the same pairs, on both wires."""
    pairs = list(sampled(20, 7)(2, 2))
    assert pairs == list(sampled(20, 7)(2, 2))
    assert pairs != list(sampled(20, 8)(2, 2))
    outcome = explore_pairs(
        lambda: Ledger(wires, idempotent=True),
        wires,
        lambda first, second: [
            (Fault(a, FaultKind.PAUSE_BEFORE), Fault(b, FaultKind.CRASH_AFTER))
            for a in range(first)
            for b in range(second)
        ],
    )
    assert (outcome.points, outcome.survivors) == (4, 4)


def test_waiting_has_a_deadline():
    """A condition that never holds fails with its last answer instead of hanging."""
    with pytest.raises(AssertionError, match="last answer: 0"):
        wait_until(lambda: 0, deadline_s=0.01, every_s=0.001)
