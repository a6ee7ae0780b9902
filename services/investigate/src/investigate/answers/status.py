"""GET /status."""

from typing import Literal

from investigate.answers.told import Answer, Ended, Told


class UnfinishedCommits(Answer):
    """Commits that some stage has yet to mark."""

    count: int
    more: bool
    """There may be more than those."""
    oldest_age_s: float | None


class DiscardedBatches(Answer):
    """Batches that the stream's mapping gave up, neither repaired nor abandoned."""

    count: int
    oldest_age_s: float | None
    """Since the arrival of the first record."""


class ShardRow(Answer):
    """How far a shard has come."""

    shard: str
    last_commit_at: str | None
    last_commit_age_s: float | None
    pending_references: int


class StatusWindow(Answer):
    """What arrived in it was counted."""

    since: str
    complete: bool
    """False: the pages or the time did not suffice for all of it."""


class FindingRow(Answer):
    """One thing that is wrong, or on its way."""

    check: str
    severity: Literal["critical", "error", "warning", "info"]
    """Lost soon, does not go on by itself, worse than usual, on its way."""
    what: str
    number: int | float
    """The number in `what`."""
    since: str | None
    why: str
    service: str | None
    """Which service it is about, if it is about one."""
    look: str
    """The command that looks closer; give it --env."""
    fix: str | None
    """The command that mends it; null where there is none."""


class CheckRow(Answer):
    """One thing that was looked at."""

    check: str
    looked_at: str
    findings: int


class StatusAnswer(Told):
    """GET /status: what is wrong now, as `millrace status` says it, and what is unfinished."""

    window: StatusWindow
    findings: tuple[FindingRow, ...]
    """The worst first, a cause before what follows from it; none: all is well."""
    checks: tuple[CheckRow, ...]
    """What "nothing found" means."""
    at: str
    settled: bool
    """Nothing is left to do of what was looked at."""
    unfinished_commits: UnfinishedCommits
    waiting_events: dict[str, int]
    """Events of the unfinished commits by the stage that they wait for."""
    pending_references: int
    discarded_batches: DiscardedBatches
    shards: tuple[ShardRow, ...]
    complete: bool
    ended_by: Ended
