"""What a check found: how bad, how much, since when, and what to do; and the order of it all."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum


class Severity(IntEnum):
    """How bad a finding is; the worst sorts first."""

    CRITICAL = 0
    """Something is lost soon, or is lost already."""
    ERROR = 1
    """It does not go on by itself."""
    WARNING = 2
    """Worse than usual."""
    INFO = 3
    """On its way, or waiting for somebody who asked for that."""


class Tool(StrEnum):
    """What runs a step."""

    MILLRACE = "millrace"
    """Words: a sub-command and its arguments."""
    LOGS = "logs"
    """Words: a service, whose errors are to be read."""
    MAPPING_ON = "mapping-on"
    """Words: the id of an event source mapping that is to be switched on."""
    SCHEDULE_ON = "schedule-on"
    """Words: the name of an EventBridge rule that is to be enabled."""
    CONCURRENCY = "concurrency"
    """Words: a service that may not run at all, and shall again."""
    DEPLOY = "deploy"
    """No words: everything becomes again what Terraform says."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something to run, independent of where the pipeline is deployed."""

    tool: Tool
    words: tuple[str, ...]


def millrace(*words: str) -> Step:
    """Return a step that is a `millrace` command."""
    return Step(Tool.MILLRACE, words)


def logs(service: str) -> Step:
    """Return the step that reads a service's errors."""
    return Step(Tool.LOGS, (service,))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or on its way."""

    severity: Severity
    what: str
    """With its number, as a person says it."""
    number: float
    """The same number for programs; each check says of what."""
    look: Step
    """Looks closer."""
    fix: Step | None = None
    why: str = ""
    since: datetime | None = None
    """None where nobody knows."""
    service: str = ""
    """The service that it is about, if it is about one."""
    is_cause: bool = False
    """What else is found about the service may follow from it."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    looked_at: str
    """With numbers: what "nothing found" means."""
    findings: tuple[Finding, ...] = field(default=())


def ranked(checks: Iterable[Check]) -> list[tuple[str, Finding]]:
    """Return all findings with their checks' names: the worst first, then the oldest.

    A cause comes before what follows from it: it is as severe as the worst of that.
    """
    found = [(check.name, finding) for check in checks for finding in check.findings]
    worst: dict[str, Severity] = {}
    for _, each in found:
        worst[each.service] = min(each.severity, worst.get(each.service, Severity.INFO))
    raised = [
        (name, replace(each, severity=worst[each.service]) if each.is_cause else each)
        for name, each in found
    ]
    return sorted(raised, key=lambda each: (_rank(each[1]), each[0], each[1].what))


def ago(now: datetime, at: datetime) -> str:
    """Return how long ago something was, as people say it: `3 h 05 min ago`."""
    return f"{span(now - at)} ago"


def many(number: int, one: str, more: str = "") -> str:
    """Return a number of things: `1 commit`, `1,204 commits`."""
    return f"{number:,} {one if number == 1 else more or f'{one}s'}"


def span(time: timedelta) -> str:
    """Return a time as people say it: `40 s`, `12 min`, `3 h 05 min`, `4 d 2 h`."""
    seconds = max(0, int(time.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    if hours < 1:
        return f"{minutes} min"
    return f"{hours} h {minutes:02d} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def _rank(finding: Finding) -> tuple[Severity, bool, bool, float]:
    since = finding.since
    return (
        finding.severity, not finding.is_cause, since is None, since.timestamp() if since else 0.0
    )  # fmt: skip
