"""Checks of what was left lying: dead letters, discarded batches, hours not exported, replays."""

from millrace.investigate.cockpit.findings import (
    Check,
    Finding,
    Severity,
    ago,
    logs,
    many,
    millrace,
    span,
)
from millrace.investigate.cockpit.readings import DeadQueue, OpenBatch, Readings
from millrace.investigate.cockpit.services import fed_by, stopped_because
from millrace.investigate.cockpit.thresholds import Thresholds
from millrace.replay.record import Replay, ReplayState


def check_dead_letters(seen: Readings, limits: Thresholds) -> Check:
    """Find dead-letter queues that are not empty; the number is messages."""
    found = tuple(_dead(each, seen, limits) for each in seen.dead if each.messages)
    total = sum(each.messages for each in seen.dead)
    return Check(
        "dead_letters", f"{many(len(seen.dead), 'queue')}: {many(total, 'message')}", found
    )


def _dead(queue: DeadQueue, seen: Readings, limits: Thresholds) -> Finding:
    urgent = queue.expires_at is not None and queue.expires_at - seen.now < limits.urgent
    gone = f", gone in {span(queue.expires_at - seen.now)}" if queue.expires_at else ""
    why = "nobody looked at them"
    if queue.looked_at:
        why = f"{queue.commonest:,} of {queue.looked_at:,} looked at: {queue.commonest_error}"
    what = f"{many(queue.messages, 'dead letter')} of {queue.key}{gone}"
    look = millrace("dlq", "show", queue.key) if queue.redrivable else millrace("dlq", "list")
    return Finding(
        Severity.CRITICAL if urgent else Severity.ERROR, what, queue.messages, look,
        millrace("dlq", "redrive", queue.key) if queue.redrivable else None, why, queue.oldest,
        fed_by(queue.key),
    )  # fmt: skip


def check_discarded(seen: Readings, limits: Thresholds) -> Check:
    """Find batches that the stream's mapping gave up; the number is records."""
    found = tuple(_batch(each, seen, limits) for each in seen.discarded)
    return Check("discarded_batches", f"{len(seen.discarded):,} open", found)


def _batch(batch: OpenBatch, seen: Readings, limits: Thresholds) -> Finding:
    left = batch.until - seen.now
    what = f"discarded batch of {many(batch.records, 'record')}"
    look = millrace("failures", "show", batch.batch_id)
    if batch.expired:
        return Finding(
            Severity.CRITICAL, f"{what} has expired", batch.records, look,
            millrace("failures", "abandon", batch.batch_id),
            "its records can no longer all be had", batch.discarded_at, "ingest",
        )  # fmt: skip
    return Finding(
        Severity.CRITICAL if left < limits.urgent else Severity.ERROR,
        f"{what} can be repaired for {span(left)} more", batch.records, look,
        millrace("failures", "repair", batch.batch_id), "the mapping gave it up",
        batch.discarded_at, "ingest",
    )  # fmt: skip


def check_exports(seen: Readings, limits: Thresholds) -> Check:
    """Find hours that export has missed; the number is hours."""
    late = [
        each
        for each in seen.unexported
        if each.changed_at is not None and seen.now - each.changed_at > limits.export_overdue
    ]
    looked_at = (
        f"the earliest {len(seen.unexported):,} hours to export, {len(late):,} wait too long"
    )
    if not late:
        return Check("exports", looked_at)
    since = min(each.changed_at for each in late if each.changed_at is not None)
    first, last = late[0].hour, late[-1].hour
    until = f" to {last}" if last != first else ""
    finding = Finding(
        Severity.ERROR, f"no complete export of {many(len(late), 'hour')}: {first}{until}",
        len(late), logs("export"), millrace("export", first),
        stopped_because("export", seen)
        or f"they changed longer ago than {span(limits.export_overdue)}",
        since, "export",
    )  # fmt: skip
    return Check("exports", looked_at, (finding,))


def check_replays(seen: Readings, limits: Thresholds) -> Check:
    """Find replays that failed, do not go on or were paused; the number is messages left."""
    found = tuple(
        finding for each in seen.replays if (finding := _replay(each, seen, limits)) is not None
    )
    return Check(
        "replays", f"the {many(len(seen.replays), 'replay')} since a week before the window", found
    )


def _replay(replay: Replay, seen: Readings, limits: Thresholds) -> Finding | None:
    name, state, since = replay.replay_id, replay.state, replay.updated_at
    look, resume = millrace("replay", "status", name), millrace("replay", "resume", name)
    left = replay.messages - replay.cursor.sent
    if state is ReplayState.FAILED:
        return Finding(Severity.ERROR, f"replay {name} failed", left, look, resume,
                       replay.failed_because, since)  # fmt: skip
    if state is ReplayState.PAUSED:
        return Finding(Severity.INFO, f"replay {name} is paused, {left:,} messages are left", left,
                       look, resume, "somebody paused it", since)  # fmt: skip
    if state not in {ReplayState.RUNNING, ReplayState.SENT}:
        return None
    age = seen.now - since
    if age < limits.replay_stuck:
        return Finding(Severity.INFO, f"replay {name} is {state.value}", left, look, since=since,
                       why="on its way")  # fmt: skip
    what = f"replay {name} is {state.value} and does not go on"
    why = f"it last told of itself {ago(seen.now, since)}"
    again = resume if state is ReplayState.RUNNING else millrace("dlq", "list")
    return Finding(Severity.ERROR, what, left, look, again, stopped_because("replay", seen) or why,
                   since, "replay")  # fmt: skip
