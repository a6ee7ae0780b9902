"""Who did what to the pipeline by hand, when, why, and what came of it.

An operation writes one entry when it begins and one when it ends: one without an end was killed.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import uuid4

from millrace.clock import Clock
from millrace.times import whole_ms


class Phase(StrEnum):
    """Where an operation was when an entry was written."""

    BEGUN = "begun"
    DONE = "done"
    FAILED = "failed"
    """It ended by an error or an interrupt; the counts say how far it came."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What somebody is about to do."""

    name: str
    """Command and verb: `dlq.redrive`."""
    subject: str
    """What it is done to: a queue, a range of a shard, a selection."""
    who: str
    reason: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    """What else it was told: filters, rates, the hash of a rule."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit."""

    at: datetime
    operation_id: str
    phase: Phase
    operation: Operation
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many of what: `{"sent": 3}`."""
    result: str = ""
    """The error that ended it, or a sentence about what came of it."""


class AuditLog(Protocol):
    """Where entries are kept for good. May block, raise RetryableError or ConfigError."""

    def record(self, entry: AuditEntry) -> None:
        """Keep an entry; when this returns, it is stored."""
        ...

    def entries(self, start: datetime, end: datetime) -> Iterator[AuditEntry]:
        """Yield the entries of a half-open window in the order they were written."""
        ...


@dataclass(slots=True)
class Tally:
    """What an operation has done so far."""

    counts: Counter[str] = field(default_factory=Counter)
    result: str = ""

    def add(self, name: str, number: int = 1) -> None:
        """Count `number` more of `name`."""
        self.counts[name] += number


@contextmanager
def audited(log: AuditLog, clock: Clock, operation: Operation) -> Iterator[Tally]:
    """Record that an operation begins, hand out its tally, and record how it ended.

    Nothing is done that cannot be recorded: the first entry is written before the block runs.
    """
    operation_id, tally = uuid4().hex[:12], Tally()

    def record(phase: Phase, result: str) -> None:
        at = whole_ms(clock.now())
        log.record(AuditEntry(at, operation_id, phase, operation, dict(tally.counts), result))

    record(Phase.BEGUN, "")
    try:
        yield tally
    except BaseException as err:
        record(Phase.FAILED, f"{type(err).__name__}: {err}".rstrip(": "))
        raise
    record(Phase.DONE, tally.result)
