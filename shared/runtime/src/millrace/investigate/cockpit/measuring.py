"""What arrived in a period, measured commit by commit."""

from collections import Counter, defaultdict
from collections.abc import Callable

from millrace.commit import Commit, CommitHead, Stage
from millrace.investigate.cockpit.readings import StageWait, TrafficPart
from millrace.investigate.ports import CommitPages
from millrace.investigate.walking import Period, Walk
from millrace.lag import bucket_of
from millrace.read_cost import Budget
from millrace.times import parse_rfc3339

SERVICES = {Stage.ENRICHED: "enrich", Stage.AGGREGATED: "aggregate", Stage.ARCHIVED: "archive"}
"""Which service sets which mark."""


def measure(
    commits: CommitPages, period: Period, budget: Budget, tell: Callable[[CommitHead], None]
) -> TrafficPart:
    """Return what arrived in a period; `tell` gets each commit's head."""
    walk = Walk(commits, period, budget)
    records = rejected = 0
    lags: dict[str, Counter[int]] = defaultdict(Counter)
    archived: Counter[int] = Counter()
    minutes: Counter[tuple[str, int]] = Counter()
    for commit in walk:
        head = commit.head
        tell(head)
        records += head.counts.received
        rejected += head.counts.quarantined
        archived.update(_archived_after(head))
        minute = int(head.committed_at.timestamp()) // 60
        for scope in _scopes(commit):
            minutes[scope, minute] += 1
        for stats in commit.body.stats:
            lags[stats.source].update(stats.lag)
    busiest: dict[str, int] = {}
    for (scope, _), number in minutes.items():
        busiest[scope] = max(number, busiest.get(scope, 0))
    return TrafficPart(
        period.start, period.end, walk.coverage.ended_by is None, walk.coverage.commits, records,
        rejected, lags, archived, busiest,
    )  # fmt: skip


def _archived_after(head: CommitHead) -> dict[int, int]:
    mark = head.marks.get(Stage.ARCHIVED)
    if mark is None or "at" not in mark:
        return {}
    took = parse_rfc3339(str(mark["at"])) - head.first_arrival
    return {bucket_of(round(took.total_seconds() * 1000)): head.counts.accepted}


def _scopes(commit: Commit) -> set[str]:
    counted = [stats for stats in commit.body.stats if stats.accepted]
    types = {f"TYPE#{stats.event_type}" for stats in counted}
    return types | {f"SOURCE#{stats.source}" for stats in counted}


def waits(unfinished: list[CommitHead]) -> tuple[StageWait, ...]:
    """Return what waits at each stage. A commit waits for enrich alone until that has marked it."""
    waiting: dict[Stage, list[CommitHead]] = {stage: [] for stage in Stage}
    for head in unfinished:
        if Stage.ENRICHED not in head.marks:
            waiting[Stage.ENRICHED].append(head)
            continue
        for stage in (Stage.AGGREGATED, Stage.ARCHIVED):
            if stage not in head.marks:
                waiting[stage].append(head)
    return tuple(
        StageWait(
            stage,
            SERVICES[stage],
            sum(head.counts.accepted for head in heads),
            len(heads),
            min((head.committed_at for head in heads), default=None),
        )
        for stage, heads in waiting.items()
    )
