"""Replays in memory, and values of them for tests."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from millrace.aggregates import Version
from millrace.errors import RetryableError
from millrace.replay.errors import UnknownReplay
from millrace.replay.plan import Estimate, Plan
from millrace.replay.progress import ProcessedObject, SkippedEvent, place_hash
from millrace.replay.record import Action, AuditEntry, Replay, ReplayPlace, ReplayState
from millrace.replay.selection import Selection
from millrace.times import format_ms
from millrace_testing.builders import ARRIVAL

REPLAY_ID = "1766914200-0a1b2c3d"
REPLAY_VERSION = Version("1766914200")


def replay_record(replay_id: str = REPLAY_ID, **fields: Any) -> Replay:  # noqa: ANN401 - any field
    """Return a running replay."""
    defaults: dict[str, Any] = {
        "plan_id": "20251228T093000Z-0a1b2c3d",
        "plan_hash": "00112233aabbccdd",
        "version": REPLAY_VERSION,
        "defs_version": "0123456789abcdef",
        "state": ReplayState.RUNNING,
        "dry_run": False,
        "rate": 100,
        "messages": 10,
        "queue_url": "https://sqs/replay",
        "started_by": "ana",
        "started_at": ARRIVAL,
        "reason": "to see",
        "updated_at": ARRIVAL,
    }
    return Replay(replay_id, **(defaults | fields))


def replay_plan(plan_id: str = "20251228T093000Z-0a1b2c3d", **fields: Any) -> Plan:  # noqa: ANN401
    """Return a plan of nothing."""
    defaults: dict[str, Any] = {
        "created_at": ARRIVAL,
        "created_by": "ana",
        "selection": Selection(ARRIVAL - timedelta(hours=2), ARRIVAL),
        "defs_version": "0123456789abcdef",
        "events": 0,
        "duplicates": 0,
        "objects": 0,
        "members": 0,
        "read_bytes": 0,
        "first_event": None,
        "last_event": None,
        "chunks": (),
        "coverage": {"windows": [], "metrics": []},
        "estimate": Estimate(0.0, 0.0, 0.0),
        "rate": 100,
    }
    return Plan(plan_id, **(defaults | fields))


def audit_entry(action: Action = Action.APPLY, at: datetime = ARRIVAL) -> AuditEntry:
    """Return an entry of a replay's audit."""
    return AuditEntry(at, "ana", action, "to see", "done")


class FakeReplays:
    """`millrace.replay.ports.ReplayLedger` and `ProcessorLedger` in dictionaries."""

    def __init__(self) -> None:
        self.plans: dict[str, Plan] = {}
        self.versions: dict[Version, str] = {}
        self.records: dict[str, Replay] = {}
        self.applications: dict[tuple[str, bool, str], str] = {}
        self.audits: dict[str, dict[tuple[str, Action], AuditEntry]] = {}
        self.made: dict[str, dict[str, ProcessedObject]] = {}
        self.left_out: dict[str, dict[bytes, SkippedEvent]] = {}
        self.counted_at_ms: dict[tuple[str, str], int] = {}
        self.pressures: dict[str, int] = {}

    def save_plan(self, plan: Plan) -> None:
        """Keep a plan for good."""
        self.plans[plan.plan_id] = plan

    def plan(self, plan_id: str) -> Plan:
        """Return a plan; raise UnknownReplay if there is none of that id."""
        if plan_id not in self.plans:
            raise UnknownReplay(f"there is no plan {plan_id}")
        return self.plans[plan_id]

    def reserve_version(self, version: Version, replay_id: str) -> bool:
        """Reserve the version for this replay; return False if another one has it."""
        return self.versions.setdefault(version, replay_id) == replay_id

    def applied_by(self, plan_id: str, *, dry_run: bool, queue_url: str) -> str | None:
        """Return the id of the replay that stands for such an application of the plan."""
        return self.applications.get((plan_id, dry_run, queue_url))

    def start(
        self, replay: Replay, audit: AuditEntry, *, beside: bool = True, over: str | None = None
    ) -> bool:
        """Write a new replay; return False if it is there already, or another one is."""
        application = (replay.plan_id, replay.dry_run, replay.queue_url)
        taken = not beside and self.applications.get(application) != over
        if replay.replay_id in self.records or taken:
            return False
        if not beside:
            self.applications[application] = replay.replay_id
        self.records[replay.replay_id] = replay
        self.note(replay.replay_id, audit)
        return True

    def replay(self, replay_id: str) -> Replay:
        """Return a replay; raise UnknownReplay if there is none of that id."""
        if replay_id not in self.records:
            raise UnknownReplay(f"there is no replay {replay_id}")
        return self.records[replay_id]

    def advance(self, before: Replay, after: Replay, audit: AuditEntry | None = None) -> bool:
        """Write `after` if the replay is still at `before`'s step; return whether it was."""
        there = self.records.get(after.replay_id)
        if there is None or there.step != before.step:
            return False
        self.records[after.replay_id] = after
        if audit:
            self.note(after.replay_id, audit)
        return True

    def note(self, replay_id: str, audit: AuditEntry) -> None:
        """Add an entry to the audit."""
        key = format_ms(audit.at), audit.action
        self.audits.setdefault(replay_id, {}).setdefault(key, audit)

    def audit(self, replay_id: str) -> Sequence[AuditEntry]:
        """Return the audit, oldest first."""
        return [entry for _, entry in sorted(self.audits.get(replay_id, {}).items())]

    def replays(self, after: ReplayPlace | None = None) -> Iterator[Replay]:
        """Yield the replays, newest first: all, or those that follow one in this order."""
        found = sorted(
            self.records.values(), key=lambda each: (each.started_at, each.replay_id), reverse=True
        )
        before = None if after is None else (after.started_at, after.replay_id)
        yield from (
            each for each in found if before is None or (each.started_at, each.replay_id) < before
        )

    def replays_of_plan(self, plan_id: str) -> Sequence[str]:
        """Return the ids of the replays of a plan, oldest first."""
        mine = [each.replay_id for each in self.replays() if each.plan_id == plan_id]
        return mine[::-1]

    def objects(self, replay_id: str) -> Iterator[ProcessedObject]:
        """Yield what the processor made of the messages."""
        yield from self.made.get(replay_id, {}).values()

    def skipped(self, replay_id: str) -> Iterator[SkippedEvent]:
        """Yield the events that the processor left out."""
        yield from self.left_out.get(replay_id, {}).values()

    def list_object(self, replay_id: str, made: ProcessedObject) -> None:
        """Note an object that enrich made; again, if it is noted already."""
        listed = self.made.setdefault(replay_id, {})
        listed.setdefault(made.object_id, replace(made, counted=False))

    def skip(self, replay_id: str, event: SkippedEvent) -> None:
        """Note an event that can never be processed; again, if it is noted already."""
        self.left_out.setdefault(replay_id, {}).setdefault(place_hash(event.place), event)

    def mark_counted(self, replay_id: str, object_id: str, at_ms: int) -> None:
        """Note that aggregate has counted every event of an object; it is listed before."""
        listed = self.made.get(replay_id, {})
        if object_id not in listed:
            raise RetryableError(f"object {object_id} of replay {replay_id} is not listed")
        listed[object_id] = replace(listed[object_id], counted=True)
        self.counted_at_ms.setdefault((replay_id, object_id), at_ms)

    def note_pressure(self, replay_id: str, at_ms: int) -> None:
        """Note that the processor was throttled."""
        self.pressures[replay_id] = at_ms

    def pressure_ms(self, replay_id: str) -> int | None:
        """Return when the processor was throttled last; None if it never was."""
        return self.pressures.get(replay_id)
