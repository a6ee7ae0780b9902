"""What replay needs of the outside beyond the shared ports."""

from collections.abc import Sequence
from typing import Protocol

from millrace.replay.plan import Plan
from millrace.replay.record import AuditEntry, Replay
from replay.domain import Signs


class WorkerLedger(Protocol):
    """Plans and replays as the worker sees them. May block and may raise RetryableError."""

    def plan(self, plan_id: str) -> Plan:
        """Return a plan; raise UnknownReplay if there is none, PlanBroken if it is none."""
        ...

    def replay(self, replay_id: str) -> Replay:
        """Return a replay, strongly consistent; raise UnknownReplay if there is none."""
        ...

    def advance(self, before: Replay, after: Replay, audit: AuditEntry | None = None) -> bool:
        """Write `after` if the replay is still at `before`'s step; return whether it was."""
        ...


class Destination(Protocol):
    """Takes the messages of one replay. May block and may raise RetryableError."""

    def send_all(self, bodies: Sequence[str]) -> None:
        """Send them, in calls of ten side by side; when this returns, the queue has all."""
        ...


class Surroundings(Protocol):
    """What speaks for sending less. May block and may raise RetryableError."""

    def signs(self, replay: Replay) -> Signs:
        """Return what is to be seen now."""
        ...


class Wake(Protocol):
    """The worker's own queue."""

    def send(self, body: str, *, delay_s: int = 0) -> None:
        """Send one message, which nobody receives before `delay_s` have passed."""
        ...


class Stopwatch(Protocol):
    """Time that passes, for pacing; never a time of day."""

    def elapsed_s(self) -> float:
        """Return seconds since some fixed moment."""
        ...

    def wait(self, seconds: float) -> None:
        """Return after so many seconds."""
        ...
