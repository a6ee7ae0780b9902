"""Checks of what is on its way: stages, shards, references."""

from millrace.investigate.cockpit.findings import (
    Check,
    Finding,
    Severity,
    ago,
    logs,
    many,
    millrace,
)
from millrace.investigate.cockpit.readings import Readings, ShardReading, StageWait
from millrace.investigate.cockpit.services import STREAM_READER, stopped_because
from millrace.investigate.cockpit.thresholds import Thresholds

_INGEST, _WATCH = STREAM_READER, "watch"


def check_stages(seen: Readings, limits: Thresholds) -> Check:
    """Find events that have come to a stage and not out of it; the number is events."""
    found = tuple(_stage(each, seen, limits) for each in seen.stages if each.commits)
    part = "" if seen.unfinished_complete else "; there are more than were read"
    commits = seen.recent.commits + seen.usual.commits
    return Check(
        "stages",
        f"{many(commits, 'commit')} of the window and every unfinished one{part}",
        found,
    )


def _stage(wait: StageWait, seen: Readings, limits: Thresholds) -> Finding:
    at_least = "" if seen.unfinished_complete else "at least "
    where = f"in {many(wait.commits, 'commit')}"
    what = f"{at_least}{many(wait.events, 'event')} not yet {wait.stage.value}, {where}"
    service, look = wait.service, logs(wait.service)
    if why := stopped_because(service, seen):
        return Finding(Severity.ERROR, what, wait.events, look, why=why, since=wait.since,
                       service=service)  # fmt: skip
    if wait.since is not None and seen.now - wait.since < limits.patience:
        return Finding(Severity.INFO, what, wait.events, millrace("lag"), since=wait.since,
                       why="on their way", service=service)  # fmt: skip
    dead = next((each for each in seen.dead if each.key == service and each.messages), None)
    if dead is not None:
        why = f"{service} gave up; see its dead letters"
        return Finding(Severity.ERROR, what, wait.events, millrace("dlq", "show", dead.key),
                       millrace("dlq", "redrive", dead.key), why, wait.since, service)  # fmt: skip
    return Finding(Severity.ERROR, what, wait.events, look, service=service, since=wait.since,
                   why=f"{service} does not come to an end")  # fmt: skip


def check_shards(seen: Readings, limits: Thresholds) -> Check:
    """Find shards that are blocked, or whose records wait; the number is shards (1) each."""
    found = tuple(
        finding for each in seen.shards if (finding := _shard(each, seen, limits)) is not None
    )
    last = max((each.last_commit_at for each in seen.shards if each.last_commit_at), default=None)
    when = f", the last commit {ago(seen.now, last)}" if last else ", no commit yet"
    return Check("shards", f"{many(len(seen.shards), 'shard')}{when}", found)


def _shard(shard: ShardReading, seen: Readings, limits: Thresholds) -> Finding | None:
    stopped = stopped_because(_INGEST, seen)
    if shard.blocked:
        return Finding(
            Severity.ERROR, f"shard {shard.shard_id} is blocked", 1, logs(_INGEST),
            why=stopped or shard.blocked, since=shard.waiting_since or shard.last_commit_at,
            service=_INGEST,
        )  # fmt: skip
    if not shard.waiting:
        return None
    since = shard.waiting_since
    what = f"records wait on shard {shard.shard_id}"
    if not stopped and since is not None and seen.now - since < limits.patience:
        return Finding(Severity.INFO, what, 1, millrace("lag"), since=since, why="on their way",
                       service=_INGEST)  # fmt: skip
    last = "it never committed"
    if shard.last_commit_at:
        last = f"its last commit was {ago(seen.now, shard.last_commit_at)}"
    return Finding(Severity.ERROR, what, 1, logs(_INGEST), since=since, service=_INGEST,
                   why=stopped or f"ingest does not take them: {last}")  # fmt: skip


def check_references(seen: Readings, limits: Thresholds) -> Check:
    """Find references that are overdue; the number is references."""
    minutes = round(limits.patience.total_seconds() / 60)
    why = f"watch runs every minute and sends what has been pending for {minutes} minutes"
    found = tuple(
        Finding(
            Severity.ERROR,
            f"{many(each.references, 'reference')} of shard {each.shard_id} overdue",
            each.references,
            logs(_WATCH),
            why=stopped_because(_WATCH, seen) or why,
            service=_WATCH,
        )
        for each in seen.overdue
    )
    return Check("references", f"those pending for {minutes} minutes", found)
