"""Checks of what is on its way: stages, shards, references, and whether services are called."""

from millrace.investigate.cockpit.findings import (
    Check,
    Finding,
    Severity,
    Step,
    Tool,
    ago,
    logs,
    many,
    millrace,
)
from millrace.investigate.cockpit.readings import Readings, ServiceReading, ShardReading, StageWait
from millrace.investigate.cockpit.thresholds import Thresholds


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
    if wait.since is not None and seen.now - wait.since < limits.patience:
        return Finding(Severity.INFO, what, wait.events, millrace("lag"), since=wait.since,
                       why="on their way")  # fmt: skip
    dead = next((each for each in seen.dead if each.key == wait.service and each.messages), None)
    if dead is not None:
        why = f"{wait.service} gave up; see its dead letters"
        return Finding(Severity.ERROR, what, wait.events, millrace("dlq", "show", dead.key),
                       millrace("dlq", "redrive", dead.key), why, wait.since)  # fmt: skip
    stopped = next((s for s in seen.services or () if s.service == wait.service), None)
    why = (stopped and _stopped_because(stopped)) or f"{wait.service} does not come to an end"
    return Finding(Severity.ERROR, what, wait.events, logs(wait.service), why=why, since=wait.since)


def check_shards(seen: Readings, limits: Thresholds) -> Check:
    """Find shards that are blocked, or whose records wait; the number is shards (1) each."""
    found = tuple(
        finding for each in seen.shards if (finding := _shard(each, seen, limits)) is not None
    )
    last = max((each.last_commit_at for each in seen.shards if each.last_commit_at), default=None)
    when = f", the last commit {ago(seen.now, last)}" if last else ", no commit yet"
    return Check("shards", f"{many(len(seen.shards), 'shard')}{when}", found)


def _shard(shard: ShardReading, seen: Readings, limits: Thresholds) -> Finding | None:
    if shard.blocked:
        return Finding(
            Severity.ERROR, f"shard {shard.shard_id} is blocked", 1, logs("ingest"),
            why=shard.blocked, since=shard.waiting_since or shard.last_commit_at,
        )  # fmt: skip
    if not shard.waiting:
        return None
    since = shard.waiting_since
    what = f"records wait on shard {shard.shard_id}"
    if since is not None and seen.now - since < limits.patience:
        return Finding(Severity.INFO, what, 1, millrace("lag"), since=since, why="on their way")
    last = "it never committed"
    if shard.last_commit_at:
        last = f"its last commit was {ago(seen.now, shard.last_commit_at)}"
    return Finding(Severity.ERROR, what, 1, logs("ingest"),
                   why=f"ingest does not take them: {last}", since=since)  # fmt: skip


def check_references(seen: Readings, limits: Thresholds) -> Check:
    """Find references that are overdue; the number is references."""
    minutes = round(limits.patience.total_seconds() / 60)
    found = tuple(
        Finding(
            Severity.ERROR,
            f"{many(each.references, 'reference')} of shard {each.shard_id} overdue",
            each.references,
            logs("watch"),
            why=f"watch runs every minute and sends what has been pending for {minutes} minutes",
        )
        for each in seen.overdue
    )
    return Check("references", f"those pending for {minutes} minutes", found)


def check_services(seen: Readings, _limits: Thresholds) -> Check:
    """Find services that Lambda does not call; the number is services (1) each."""
    if seen.services is None:
        return Check("services", "not looked at: these credentials may not ask Lambda")
    found = tuple(finding for each in seen.services for finding in _stopped(each))
    return Check("services", f"mappings and concurrency of {len(seen.services)} functions", found)


def _stopped(service: ServiceReading) -> list[Finding]:
    found = [
        Finding(
            Severity.ERROR, f"{service.service} is not called", 1, logs(service.service),
            Step(Tool.MAPPING_ON, (uuid,)), f"its event source mapping is {state}",
        )
        for uuid, state in service.stopped_mappings
    ]  # fmt: skip
    if not service.may_run:
        found.append(
            Finding(
                Severity.ERROR,
                f"{service.service} may not run",
                1,
                logs(service.service),
                Step(Tool.CONCURRENCY, (service.service,)),
                "its reserved concurrency is 0",
            )
        )
    return found


def _stopped_because(service: ServiceReading) -> str:
    return "; ".join(f"{each.what}: {each.why}" for each in _stopped(service))
