"""Which sources are a problem, with the numbers that make them one; the worst first."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from millrace.commit import Commit
from millrace.errors import ObjectMissing
from millrace.investigate.lag import Quantiles
from millrace.investigate.ports import Bodies, CommitPages
from millrace.investigate.walking import Coverage, Period, Walk
from millrace.lag import merged
from millrace.quarantine.record import records_of
from millrace.read_cost import Budget
from millrace.times import format_ms

UNREADABLE = "(unreadable)"
"""Rejected records in which no source can be read; no event can have this name."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source, over all that arrived of it in the period."""

    source: str
    records: int
    """Accepted, repeated and rejected."""
    accepted: int
    duplicates: int
    conflicts: int
    rejected: int
    late: int
    lag: Quantiles
    last_commit_at: datetime | None
    """Latest arrival in the last commit that held an event of it; None if it has only rejects."""
    reasons: tuple[tuple[str, int], ...]
    """Of the rejections, the most frequent first."""
    silent_s: float | None
    """From that arrival to the end of the period, or to now."""

    @property
    def problem_share(self) -> float:
        """Records that were rejected, came again or came late, of all; what sources rank by."""
        return (self.rejected + self.duplicates + self.late) / self.records if self.records else 0.0

    def share(self, count: int) -> float:
        """Return a count as a share of the source's records."""
        return count / self.records if self.records else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return {
            "source": self.source,
            "records": self.records,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "conflicts": self.conflicts,
            "rejected": self.rejected,
            "late": self.late,
            "problem_share": round(self.problem_share, 6),
            "rejected_share": round(self.share(self.rejected), 6),
            "duplicate_share": round(self.share(self.duplicates), 6),
            "conflict_share": round(self.share(self.conflicts), 6),
            "late_share": round(self.share(self.late), 6),
            "reject_reasons": dict(self.reasons),
            "lag": self.lag.as_json(),
            "last_arrival": format_ms(self.last_commit_at) if self.last_commit_at else None,
            "silent_s": self.silent_s,
        }


@dataclass(frozen=True, slots=True)
class SourceReport:
    """The answer: the sources of what arrived in the period."""

    coverage: Coverage
    rows: tuple[SourceRow, ...]
    """The largest problem share first."""
    unreadable_objects: int
    """Quarantine objects that are gone; their records count for no source."""

    def as_json(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return {
            "coverage": self.coverage.as_json(),
            "sources": [row.as_json() for row in self.rows],
            "unreadable_objects": self.unreadable_objects,
        }


@dataclass(slots=True)
class _Tally:
    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    late: int = 0
    lags: list[dict[int, int]] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    last: datetime | None = None

    def row(self, source: str, until: datetime) -> SourceRow:
        lag = merged(self.lags)
        rejected = sum(self.reasons.values())
        return SourceRow(
            source=source,
            records=self.accepted + self.duplicates + rejected,
            accepted=self.accepted,
            duplicates=self.duplicates,
            conflicts=self.conflicts,
            rejected=rejected,
            late=self.late,
            lag=Quantiles(sum(lag.values()), lag),
            last_commit_at=self.last,
            reasons=tuple(sorted(self.reasons.items(), key=lambda each: (-each[1], each[0]))),
            silent_s=None if self.last is None else max(0.0, (until - self.last).total_seconds()),
        )


@dataclass(frozen=True, slots=True)
class Sources:
    """The use case. Quarantine objects are read of the commits that rejected something."""

    commits: CommitPages
    objects: Bodies

    def report(
        self, period: Period, budget: Budget, now: datetime, *, cursor: str | None = None
    ) -> SourceReport:
        """Return the sources of what arrived in a period."""
        walk = Walk(self.commits, period, budget, cursor=cursor)
        tallies: dict[str, _Tally] = defaultdict(_Tally)
        gone = 0
        for commit in walk:
            _count(commit, tallies)
            try:
                for source, reason in self._rejections(commit):
                    tallies[source].reasons[reason] += 1
            except ObjectMissing:
                gone += 1
        until = min(period.end, now)
        rows = (tally.row(source, until) for source, tally in tallies.items())
        return SourceReport(walk.coverage, tuple(sorted(rows, key=_worst_first)), gone)

    def _rejections(self, commit: Commit) -> Iterator[tuple[str, str]]:
        if commit.head.quarantine_key is not None:
            body = self.objects.get(commit.head.quarantine_key)
            for found in records_of(commit.head, body):
                yield found.traits.source or UNREADABLE, found.reason


def _count(commit: Commit, tallies: dict[str, _Tally]) -> None:
    for stats in commit.body.stats:
        tally = tallies[stats.source]
        tally.accepted += stats.accepted
        tally.duplicates += stats.duplicates
        tally.conflicts += stats.conflicts
        tally.late += stats.late
        tally.lags.append(dict(stats.lag))
        last = commit.head.last_arrival
        tally.last = last if tally.last is None else max(last, tally.last)


def _worst_first(row: SourceRow) -> tuple[float, float, str]:
    return -row.problem_share, -(row.silent_s or 0.0), row.source
