"""What the replay API answers: the models of its JSON, of which the OpenAPI document is made."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from millrace.replay.operations import ReplayStatus
from millrace.replay.plan import Plan
from millrace.replay.record import Action, AuditEntry, Replay, ReplayState
from millrace.times import format_ms

MAX_SKIPPED_LISTED = 500
"""An answer has at most 6 MB; a skipped event takes 1 kB or less."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class ReplayAnswer(_Answer):
    """A replay and where it stands."""

    replay_id: str
    plan_id: str
    plan_hash: str
    """Equal hashes mean equal replays: the same messages, the same definitions."""
    version: str
    """The version of the aggregates that it writes."""
    state: ReplayState
    dry_run: bool
    defs_version: str
    messages: int
    """Messages to send, one for each event."""
    sent: int
    """Messages sent so far."""
    rate: int
    """Messages a second at most."""
    current_rate: float
    """What is sent a second; below `rate` while it gives way to live traffic."""
    slowed_because: str
    """Why it is slower than asked; empty if it is not."""
    failed_because: str
    """Why its plan can be sent no further; empty unless it failed."""
    started_by: str
    """ARN of the caller, or the operator's name where a command started it."""
    started_at: str
    reason: str
    updated_at: str

    @classmethod
    def of(cls, replay: Replay) -> "ReplayAnswer":
        """Return the answer for a replay."""
        return cls(
            replay_id=replay.replay_id,
            plan_id=replay.plan_id,
            plan_hash=replay.plan_hash,
            version=replay.version,
            state=replay.state,
            dry_run=replay.dry_run,
            defs_version=replay.defs_version,
            messages=replay.messages,
            sent=replay.cursor.sent,
            rate=replay.rate,
            current_rate=replay.current_rate,
            slowed_because=replay.slowed_because,
            failed_because=replay.failed_because,
            started_by=replay.started_by,
            started_at=format_ms(replay.started_at),
            reason=replay.reason,
            updated_at=format_ms(replay.updated_at),
        )


class PlanSummary(_Answer):
    """What a plan comes to."""

    events: int
    duplicates: int
    objects: int
    """Raw objects to read from."""
    first_event: str | None
    last_event: str | None
    estimated_seconds: float
    estimated_usd: float

    @classmethod
    def of(cls, plan: Plan) -> "PlanSummary":
        """Return the answer for a plan."""
        return cls(
            events=plan.events,
            duplicates=plan.duplicates,
            objects=plan.objects,
            first_event=format_ms(plan.first_event) if plan.first_event else None,
            last_event=format_ms(plan.last_event) if plan.last_event else None,
            estimated_seconds=plan.estimate.seconds,
            estimated_usd=plan.estimate.usd,
        )


class Started(_Answer):
    """A replay that was planned and started."""

    replay: ReplayAnswer
    plan: PlanSummary


class SkippedAnswer(_Answer):
    """An event that the processor could do nothing with."""

    event_id: str
    place: str
    reason: str
    detail: str


class AuditAnswer(_Answer):
    """Who did what, when and why, and what came of it."""

    at: str
    who: str
    action: Action
    reason: str
    result: str

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditAnswer":
        """Return the answer for an entry."""
        return cls(
            at=format_ms(entry.at),
            who=entry.who,
            action=entry.action,
            reason=entry.reason,
            result=entry.result,
        )


class StatusAnswer(ReplayAnswer):
    """A replay, how far its events have come, and who did what to it."""

    enriched: int
    counted: int
    skipped: int
    """Events that were left out; the first of them are in `skipped_events`."""
    skipped_events: Annotated[tuple[SkippedAnswer, ...], Field(max_length=MAX_SKIPPED_LISTED)]
    audit: tuple[AuditAnswer, ...]

    @classmethod
    def of_status(cls, status: ReplayStatus) -> "StatusAnswer":
        """Return the answer for a status."""
        progress = status.progress
        return cls(
            **ReplayAnswer.of(status.replay).model_dump(),
            enriched=progress.enriched,
            counted=progress.counted,
            skipped=progress.skipped,
            skipped_events=tuple(
                SkippedAnswer(
                    event_id=each.event_id,
                    place=each.place,
                    reason=each.reason,
                    detail=each.detail,
                )
                for each in status.skipped[:MAX_SKIPPED_LISTED]
            ),
            audit=tuple(map(AuditAnswer.of, status.audit)),
        )


class ReplayList(_Answer):
    """Replays, newest first."""

    replays: tuple[ReplayAnswer, ...]
    next_cursor: str | None
    """Hand it back as `cursor` for the next page; null on the last one."""
