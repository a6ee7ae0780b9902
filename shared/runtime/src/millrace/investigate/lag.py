"""How late events come in, and how long each stage takes, by source, type and hour."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from millrace.commit import Commit, CommitHead, Stage
from millrace.investigate.ports import CommitPages
from millrace.investigate.walking import Coverage, Period, Walk
from millrace.lag import bucket_of, merged, quantile_ms
from millrace.read_cost import Budget
from millrace.times import parse_rfc3339
from millrace.windows import hour_label

_SHARES = {"p50_ms": 0.5, "p90_ms": 0.9, "p99_ms": 0.99, "max_ms": 1.0}


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Half, nine tenths, 99 of 100 and all events are at most so far behind (within 5 %)."""

    events: int
    histogram: Mapping[int, int]
    """By bucket of `millrace.lag`: answers can be merged."""

    def as_json(self) -> dict[str, Any]:
        """Return the quantiles for JSON; null where there is no event."""
        told: dict[str, Any] = {"events": self.events}
        for name, share in _SHARES.items():
            told[name] = round(quantile_ms(self.histogram, share)) if self.histogram else None
        return told | {"histogram": {str(bucket): n for bucket, n in self.histogram.items()}}


@dataclass(slots=True)
class _Tally:
    buckets: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, histogram: Mapping[int, int]) -> None:
        for bucket, events in histogram.items():
            self.buckets[bucket] += events

    def quantiles(self) -> Quantiles:
        return Quantiles(sum(self.buckets.values()), dict(sorted(self.buckets.items())))


@dataclass(frozen=True, slots=True)
class LagRow:
    """The event-time lag of one source and type in one hour of arrival."""

    source: str
    event_type: str
    hour: str
    """UTC, as `2015-09-12T13`; of the commit's first arrival."""
    lag: Quantiles

    def as_json(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return {
            "source": self.source, "event_type": self.event_type, "hour": self.hour,
        } | self.lag.as_json()  # fmt: skip


@dataclass(frozen=True, slots=True)
class StageRow:
    """How long one step of the pipeline took, each commit weighed by its events."""

    step: str
    took: Quantiles
    waiting_events: int
    """Events whose commit has not come to the end of the step."""

    def as_json(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return {"step": self.step, "waiting_events": self.waiting_events} | self.took.as_json()


@dataclass(frozen=True, slots=True)
class LagReport:
    """The answer: by arrival, events that are repetitions included."""

    coverage: Coverage
    rows: tuple[LagRow, ...]
    """In order of source, type and hour."""
    stages: tuple[StageRow, ...]

    def total(self) -> Quantiles:
        """Return the lag of all events."""
        histogram = merged(row.lag.histogram for row in self.rows)
        return Quantiles(sum(histogram.values()), histogram)

    def by(self, *names: str) -> list[tuple[tuple[str, ...], Quantiles]]:
        """Return the lag by some of `source`, `event_type` and `hour`, in their order."""
        groups: dict[tuple[str, ...], list[Mapping[int, int]]] = defaultdict(list)
        for row in self.rows:
            groups[tuple(getattr(row, name) for name in names)].append(row.lag.histogram)
        found = ((key, merged(each)) for key, each in sorted(groups.items()))
        return [(key, Quantiles(sum(each.values()), each)) for key, each in found]

    def as_json(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return {
            "coverage": self.coverage.as_json(),
            "total": self.total().as_json(),
            "by_source": [{"source": key[0]} | lag.as_json() for key, lag in self.by("source")],
            "rows": [row.as_json() for row in self.rows],
            "stages": [row.as_json() for row in self.stages],
        }


def lag_report(
    commits: CommitPages,
    period: Period,
    budget: Budget,
    *,
    cursor: str | None = None,
    source: str | None = None,
    event_type: str | None = None,
) -> LagReport:
    """Return the lag of what arrived in a period; of one source or type only, if asked.

    The stages are those of whole commits, whatever their sources.
    """
    walk = Walk(commits, period, budget, cursor=cursor)
    rows: dict[tuple[str, str, str], _Tally] = defaultdict(_Tally)
    stages = {name: _Steps() for name in _STEPS}
    for commit in walk:
        hour = hour_label(commit.head.first_arrival)
        for stats in commit.body.stats:
            if source in (None, stats.source) and event_type in (None, stats.event_type):
                rows[stats.source, stats.event_type, hour].add(stats.lag)
        for name, steps in stages.items():
            steps.add(commit, name)
    return LagReport(
        walk.coverage,
        tuple(LagRow(*key, tally.quantiles()) for key, tally in sorted(rows.items())),
        tuple(
            StageRow(name, steps.took.quantiles(), steps.waiting) for name, steps in stages.items()
        ),
    )


_STEPS: Mapping[str, tuple[str, str]] = {
    "arrival -> committed": ("arrived", "committed"),
    "committed -> enriched": ("committed", Stage.ENRICHED),
    "enriched -> aggregated": (Stage.ENRICHED, Stage.AGGREGATED),
    "enriched -> archived": (Stage.ENRICHED, Stage.ARCHIVED),
    "arrival -> aggregated": ("arrived", Stage.AGGREGATED),
    "arrival -> archived": ("arrived", Stage.ARCHIVED),
}


@dataclass(slots=True)
class _Steps:
    took: _Tally = field(default_factory=_Tally)
    waiting: int = 0

    def add(self, commit: Commit, name: str) -> None:
        events = commit.head.counts.accepted + commit.head.counts.duplicates
        if not events:
            return
        begin, end = (_time_of(commit.head, point) for point in _STEPS[name])
        if begin is None or end is None:
            self.waiting += events
        else:
            took_ms = round((end - begin).total_seconds() * 1000)
            self.took.add({bucket_of(took_ms): events})


def _time_of(head: CommitHead, point: str) -> datetime | None:
    """Return when a commit came to a point on its way; its first arrival counts."""
    if point == "arrived":
        return head.first_arrival
    if point == "committed":
        return head.committed_at
    mark = head.marks.get(Stage(point))
    return None if mark is None else parse_rfc3339(str(mark["at"]))
