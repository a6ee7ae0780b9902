"""What is unfinished now: commits by stage, references, discarded batches, and each shard's last.

It reads what is left to do, never the history: commits that every stage has marked are in no index
that is read here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from millrace.clock import Clock
from millrace.commit import CommitHead, ShardKey, Stage
from millrace.read_cost import Bound, Budget
from millrace.times import format_ms

MOST_COMMITS = 1_000


@dataclass(frozen=True, slots=True)
class LastOfShard:
    """How far a shard has come."""

    shard: ShardKey
    latest: CommitHead | None
    """The commit with the highest sequence numbers; None if it has none."""
    pending_references: int
    """Not known to be sent yet."""


class Unfinished(Protocol):
    """What is left to do. May block, raise RetryableError or ConfigError (while iterating)."""

    def commits(self, most: int) -> Sequence[CommitHead]:
        """Return commits that some stage has yet to mark, `most` of them at most."""
        ...

    def discarded_since(self) -> Sequence[datetime]:
        """Return when the first record of each open discarded batch arrived."""
        ...

    def shards(self) -> Iterable[LastOfShard]:
        """Yield every shard that the stream has or had, as it is read."""
        ...


@dataclass(frozen=True, slots=True)
class UnfinishedReport:
    """The answer."""

    at: datetime
    commits: tuple[CommitHead, ...]
    more_commits: bool
    """There may be more than those."""
    discarded_since: tuple[datetime, ...]
    shards: tuple[LastOfShard, ...]
    ended_by: Bound | None
    """What ended the answer before all shards were looked at."""

    def as_json(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return {
            "at": format_ms(self.at),
            "settled": self.settled,
            "unfinished_commits": {
                "count": len(self.commits),
                "more": self.more_commits,
                "oldest_age_s": self._oldest_age_s(each.committed_at for each in self.commits),
            },
            "waiting_events": {stage.value: self._waiting(stage) for stage in Stage},
            "pending_references": sum(each.pending_references for each in self.shards),
            "discarded_batches": {
                "count": len(self.discarded_since),
                "oldest_age_s": self._oldest_age_s(self.discarded_since),
            },
            "shards": [self._shard_json(each) for each in self.shards],
            "complete": self.ended_by is None,
            "ended_by": self.ended_by,
        }

    @property
    def settled(self) -> bool:
        """Nothing is left to do of what was looked at."""
        pending = any(each.pending_references for each in self.shards)
        return not (self.commits or self.discarded_since or pending)

    def _waiting(self, stage: Stage) -> int:
        return sum(each.counts.accepted for each in self.commits if stage not in each.marks)

    def _oldest_age_s(self, since: Iterable[datetime]) -> float | None:
        oldest = min(since, default=None)
        return None if oldest is None else (self.at - oldest).total_seconds()

    def _shard_json(self, each: LastOfShard) -> dict[str, Any]:
        latest = each.latest
        return {
            "shard": str(each.shard),
            "last_commit_at": None if latest is None else format_ms(latest.committed_at),
            "last_commit_age_s": self._oldest_age_s([latest.committed_at] if latest else []),
            "pending_references": each.pending_references,
        }


def unfinished_report(left: Unfinished, clock: Clock, budget: Budget) -> UnfinishedReport:
    """Return what is unfinished: MOST_COMMITS commits, and as many shards as the budget allows."""
    commits = left.commits(MOST_COMMITS + 1)
    shards: list[LastOfShard] = []
    bound = None
    for shard in left.shards():
        shards.append(shard)
        bound = budget.spent
        if bound is not None:
            break
    return UnfinishedReport(
        clock.now(),
        tuple(commits[:MOST_COMMITS]),
        len(commits) > MOST_COMMITS,
        tuple(left.discarded_since()),
        tuple(shards),
        bound,
    )
