"""What replays need of the outside; `millrace.aws.replays` and fakes provide it."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from millrace.aggregates import Version
from millrace.replay.plan import Plan
from millrace.replay.progress import ProcessedObject, SkippedEvent
from millrace.replay.record import AuditEntry, Replay, ReplayPlace


class ReplayLedger(Protocol):
    """Plans, replays, their progress and their audit. May block, raise RetryableError."""

    def save_plan(self, plan: Plan) -> None:
        """Keep a plan for good."""
        ...

    def plan(self, plan_id: str) -> Plan:
        """Return a plan.

        Raises:
            UnknownReplay: there is none of that id.
            PlanBroken: what is stored under it is no plan any more.
        """
        ...

    def reserve_version(self, version: Version, replay_id: str) -> bool:
        """Reserve the version for this replay; return False if another one has it."""
        ...

    def applied_by(self, plan_id: str, *, dry_run: bool, queue_url: str) -> str | None:
        """Return the id of the replay that stands for such an application of the plan."""
        ...

    def start(
        self, replay: Replay, audit: AuditEntry, *, beside: bool = True, over: str | None = None
    ) -> bool:
        """Write a new replay; return False if it is there already, or another one is.

        beside: it may be one of several of its plan. Else it stands for the plan's application
        from now on, which nobody does, or `over` does.
        """
        ...

    def replay(self, replay_id: str) -> Replay:
        """Return a replay, strongly consistent.

        Raises:
            UnknownReplay: there is none of that id.
        """
        ...

    def advance(self, before: Replay, after: Replay, audit: AuditEntry | None = None) -> bool:
        """Write `after` if the replay is still at `before`'s step; return whether it was."""
        ...

    def note(self, replay_id: str, audit: AuditEntry) -> None:
        """Add an entry to the audit."""
        ...

    def audit(self, replay_id: str) -> Sequence[AuditEntry]:
        """Return the audit, oldest first."""
        ...

    def replays(self, after: ReplayPlace | None = None) -> Iterator[Replay]:
        """Yield the replays, newest first: all, or those that follow one in this order."""
        ...

    def replays_of_plan(self, plan_id: str) -> Sequence[str]:
        """Return the ids of the replays of a plan, oldest first."""
        ...

    def objects(self, replay_id: str) -> Iterator[ProcessedObject]:
        """Yield what the processor made of the messages, strongly consistent."""
        ...

    def skipped(self, replay_id: str) -> Iterator[SkippedEvent]:
        """Yield the events that the processor left out, strongly consistent."""
        ...


class ReplayQueue(Protocol):
    """A queue that takes a replay's messages, many at a time."""

    def send_all(self, bodies: Sequence[str]) -> None:
        """Send at most ten; when this returns, the queue has all of them (at least once).

        Raises:
            RetryableError: some may be there, some not: send all of them again.
        """
        ...


class ProcessorLedger(Protocol):
    """The progress of replays as enrich and aggregate write it. May block, raise RetryableError."""

    def replay(self, replay_id: str) -> Replay:
        """Return a replay, strongly consistent.

        Raises:
            UnknownReplay: there is none of that id.
        """
        ...

    def list_object(self, replay_id: str, made: ProcessedObject) -> None:
        """Note an object that enrich made; again, if it is noted already."""
        ...

    def skip(self, replay_id: str, event: SkippedEvent) -> None:
        """Note an event that can never be processed; again, if it is noted already."""
        ...

    def mark_counted(self, replay_id: str, object_id: str, at_ms: int) -> None:
        """Note that aggregate has counted every event of an object."""
        ...

    def note_pressure(self, replay_id: str, at_ms: int) -> None:
        """Note that the processor was throttled, so that the worker sends less."""
        ...
