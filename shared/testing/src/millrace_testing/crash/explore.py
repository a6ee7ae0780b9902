"""Running a scenario once for each fault and comparing what readers see.

A clean run counts the AWS calls. Then each call goes wrong in each way, in a world of its own, the
platform redelivers, and the final state must equal the clean run's.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Generic, Protocol, TypeVar

from millrace_testing.crash.wire import BATCHES, Crash, Fault, FaultKind, Wire
from millrace_testing.wait import wait_until

State = TypeVar("State")
State_co = TypeVar("State_co", covariant=True)
_DEADLINE_S = 30


class Scenario(Protocol[State_co]):
    """One story in a world of its own (its own ids, shard and queue), told in steps."""

    def attempt(self) -> None:
        """Run the attempt that meets the fault; its clients are on the first wire."""
        ...

    def retry(self) -> None:
        """Run the platform's next attempt at the same work; its clients are on the second wire."""
        ...

    def recover(self) -> None:
        """Do what the platform does in the end, unhurt: redelivery, later batches, sweeps."""
        ...

    def observe(self) -> State_co:
        """Return what the readers see, in terms that equal the clean run's."""
        ...


@dataclass(frozen=True, slots=True)
class Difference(Generic[State]):
    """Faults after which readers saw something else."""

    faults: tuple[Fault, ...]
    call: str
    expected: State
    seen: State


@dataclass(slots=True)
class Exploration(Generic[State]):
    """The outcome over all faults."""

    calls: list[str]
    points: int = 0
    differences: list[Difference[State]] = field(default_factory=list)

    def note(self, faults: tuple[Fault, ...], expected: State, seen: State) -> None:
        """Add the outcome of one run."""
        self.points += 1
        if seen != expected:
            call = self.calls[faults[0].call]
            self.differences.append(Difference(faults, call, expected, seen))

    @property
    def survivors(self) -> int:
        """The number of points after which the state was right."""
        return self.points - len(self.differences)

    def summary(self) -> str:
        """Say it in one line."""
        return f"{len(self.calls)} calls, {self.points} points, {self.survivors} survived"

    def __str__(self) -> str:
        """Say it in one line, and each difference in three more."""
        lines = [self.summary()]
        lines += [
            f"  {each.call}: {'; then '.join(map(str, each.faults))}\n"
            f"    expected {each.expected}\n    seen     {each.seen}"
            for each in self.differences
        ]
        return "\n".join(lines)


def explore(
    new_scenario: Callable[[], Scenario[State]],
    wire: Wire,
    kinds: Iterable[FaultKind] = tuple(FaultKind),
) -> Exploration[State]:
    """Run the scenario cleanly, then once for each call and kind of fault that it can have."""
    expected, calls = _clean(new_scenario(), wire)
    outcome: Exploration[State] = Exploration(calls)
    for fault in _faults(calls, tuple(kinds)):
        seen = _with_one(new_scenario(), wire, fault)
        outcome.note((fault,), expected, seen)
    return outcome


def explore_pairs(
    new_scenario: Callable[[], Scenario[State]],
    wires: tuple[Wire, Wire],
    pairs: Callable[[int, int], Iterable[tuple[Fault, Fault]]],
) -> Exploration[State]:
    """Break the attempt and its retry both, at the places that `pairs` names.

    `pairs` is given the number of calls of a clean attempt and of a clean retry without one.
    Where both are zombies, the first goes on to its end while the second is still paused.
    """
    first, second = wires
    expected, calls = _clean(new_scenario(), first)
    second.arm(None)
    new_scenario().retry()
    retry_calls = len(second.calls)
    outcome: Exploration[State] = Exploration(calls)
    for pair in pairs(len(calls), retry_calls):
        seen = _with_two(new_scenario(), wires, pair)
        outcome.note(pair, expected, seen)
    return outcome


def sampled(count: int, seed: int) -> Callable[[int, int], Iterable[tuple[Fault, Fault]]]:
    """Return pairs drawn from `seed`: every place and kind is as likely as another."""

    def pairs(calls: int, retry_calls: int) -> Iterator[tuple[Fault, Fault]]:
        draw = Random(seed)  # noqa: S311 - a reproducible sample, not a secret
        kinds = list(FaultKind)
        for _ in range(count):
            first = Fault(draw.randrange(calls), draw.choice(kinds))
            yield first, Fault(draw.randrange(retry_calls), draw.choice(kinds))

    return pairs


def _faults(calls: Sequence[str], kinds: Sequence[FaultKind]) -> Iterator[Fault]:
    """Answers that are partial from a call on are so from the next batch on: that run is enough."""
    for number, call in enumerate(calls):
        for kind in kinds:
            if kind is not FaultKind.PARTIAL_ANSWER or call in BATCHES:
                yield Fault(number, kind)


def _clean(scenario: Scenario[State], wire: Wire) -> tuple[State, list[str]]:
    wire.arm(None)
    scenario.attempt()
    calls = list(wire.calls)
    scenario.recover()
    return scenario.observe(), calls


def _with_one(scenario: Scenario[State], wire: Wire, fault: Fault) -> State:
    """A zombie goes on when the recovery is over, and another recovery follows it."""
    with ThreadPoolExecutor(1) as pool:
        attempt = _started(pool, scenario.attempt, wire, fault)
        if not attempt.done():
            scenario.recover()
        _finished(attempt, wire)
    scenario.recover()
    return scenario.observe()


def _with_two(
    scenario: Scenario[State], wires: tuple[Wire, Wire], faults: tuple[Fault, Fault]
) -> State:
    with ThreadPoolExecutor(2) as pool:
        attempt = _started(pool, scenario.attempt, wires[0], faults[0])
        retry = _started(pool, scenario.retry, wires[1], faults[1])
        _finished(attempt, wires[0])
        _finished(retry, wires[1])
    scenario.recover()
    return scenario.observe()


def _started(
    pool: ThreadPoolExecutor, step: Callable[[], None], wire: Wire, fault: Fault
) -> "Future[None]":
    """Start a step with its fault; return when it has ended, one way or another, or is paused."""
    wire.arm(fault)
    running = pool.submit(_until_crash, step)
    wait_until(lambda: wire.paused.is_set() or running.done(), _DEADLINE_S, 0.002)
    return running


def _finished(running: "Future[None]", wire: Wire) -> None:
    wire.resume()
    running.result(_DEADLINE_S)


def _until_crash(step: Callable[[], None]) -> None:
    with suppress(Crash, Exception):  # however it ends, the platform redelivers
        step()
