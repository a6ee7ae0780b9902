"""Plans, replays and what came of them, for JSON."""

from typing import Any

from millrace.aggregates import AggregateKey
from millrace.aws.aggregates import scope_key, stored_bounds
from millrace.replay.difference import Comparison
from millrace.replay.dry_run import WouldBe
from millrace.replay.operations import ReplayStatus
from millrace.replay.plan import Plan
from millrace.replay.promotion import Outcome
from millrace.replay.record import AuditEntry, Replay
from millrace.times import format_ms


def plan_fields(plan: Plan) -> dict[str, Any]:
    """Return a plan for JSON, without the list of its parts."""
    return {name: value for name, value in plan.to_fields().items() if name != "chunks"}


def replay_fields(replay: Replay) -> dict[str, Any]:
    """Return a replay for JSON."""
    return {
        "replay_id": replay.replay_id,
        "plan_id": replay.plan_id,
        "plan_hash": replay.plan_hash,
        "version": replay.version,
        "state": replay.state.value,
        "dry_run": replay.dry_run,
        "defs_version": replay.defs_version,
        "messages": replay.messages,
        "sent": replay.cursor.sent,
        "rate": replay.rate,
        "current_rate": replay.current_rate,
        "slowed_because": replay.slowed_because,
        "failed_because": replay.failed_because,
        "started_by": replay.started_by,
        "started_at": format_ms(replay.started_at),
        "reason": replay.reason,
        "updated_at": format_ms(replay.updated_at),
    }


def status_fields(status: ReplayStatus) -> dict[str, Any]:
    """Return a replay with its progress and audit for JSON."""
    progress = status.progress
    return replay_fields(status.replay) | {
        "enriched": progress.enriched,
        "counted": progress.counted,
        "skipped": progress.skipped,
        "skipped_events": [
            {"event_id": each.event_id, "place": each.place, "reason": each.reason,
             "detail": each.detail}
            for each in status.skipped
        ],
        "audit": [_audit_fields(each) for each in status.audit],
    }  # fmt: skip


def _audit_fields(entry: AuditEntry) -> dict[str, Any]:
    return {
        "at": format_ms(entry.at),
        "who": entry.who,
        "action": entry.action.value,
        "reason": entry.reason,
        "result": entry.result,
    }


def comparison_fields(comparison: Comparison) -> dict[str, Any]:
    """Return one row of a diff for JSON; values as text, so that no digit is lost."""
    live, replayed = comparison.live, comparison.replayed
    return _row_fields(comparison.key) | {
        "verdict": comparison.verdict.value,
        "live": str(live.value) if live else None,
        "replayed": str(replayed.value) if replayed else None,
        "difference": str(comparison.difference),
        "live_events": live.event_count if live else 0,
        "replayed_events": replayed.event_count if replayed else 0,
        "more_events_in_live": comparison.more_in_live,
        "only_in_live": list(comparison.only_live),
        "live_defs_version": live.defs_version if live else None,
        "replayed_defs_version": replayed.defs_version if replayed else None,
    }


def would_be_fields(row: WouldBe) -> dict[str, Any]:
    """Return a row that a dry run would have written for JSON; its value as text."""
    return _row_fields(row.key) | {
        "value": str(row.delta.value),
        "event_count": row.delta.event_count,
        "sample_event_ids": list(row.delta.sample_event_ids),
    }


def outcome_fields(outcome: Outcome) -> dict[str, Any]:
    """Return what became of one row for JSON; values as text, so that no digit is lost."""
    return _row_fields(outcome.key) | {
        "outcome": outcome.kind.value,
        "why": outcome.why,
        "before": str(outcome.before.value),
        "after": str(outcome.after.value),
        "events_before": outcome.before.event_count,
        "events_after": outcome.after.event_count,
    }


def _row_fields(key: AggregateKey) -> dict[str, Any]:
    """Return what tells one row of a version from another."""
    first, last = stored_bounds(key.window)
    return {
        "scope": scope_key(key.scope),
        "metric_name": key.metric,
        "window": key.window.width.value,
        "window_start": first,
        "window_end": last,
    }
