"""Which events came late: how far behind, and which windows they changed after these had closed."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from millrace.commit import Commit
from millrace.errors import ObjectMissing
from millrace.investigate.lag import Quantiles
from millrace.investigate.lines import Arrival, LineOfCommit, read_lines
from millrace.investigate.ports import Bodies, CommitPages
from millrace.investigate.walking import Coverage, Period, Walk
from millrace.lag import histogram
from millrace.read_cost import Budget
from millrace.times import format_ms
from millrace.windows import Window, WindowWidth, window_of


@dataclass(frozen=True, slots=True)
class LateEvent:
    """One event that came when its source was further on by more than is allowed."""

    event: Arrival
    behind_ms: int
    """Behind the highest event time of its source on its shard."""
    duplicate: bool
    """A repetition: it changes no aggregate."""

    def closed_windows(self) -> Iterator[Window]:
        """Yield the windows of the event that its source had left when it came."""
        happened = self.event.event_time
        source_was_at = happened + timedelta(milliseconds=self.behind_ms)
        for width in WindowWidth:
            window = window_of(happened, width)
            if window.end <= source_was_at:
                yield window

    def as_json(self) -> dict[str, Any]:
        """Return the event for JSON."""
        return self.event.as_json() | {"behind_ms": self.behind_ms, "duplicate": self.duplicate}


@dataclass(frozen=True, slots=True)
class ChangedWindow:
    """A window that had closed and got events afterwards."""

    window: Window
    events: int
    """Late ones, repetitions left out."""
    sources: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the window for JSON."""
        return {
            "window": self.window.label,
            "from": format_ms(self.window.start),
            "to": format_ms(self.window.end),
            "late_events": self.events,
            "sources": list(self.sources),
        }


@dataclass(frozen=True, slots=True)
class LateReport:
    """The answer: the late events that arrived in the period."""

    coverage: Coverage
    counts: tuple[tuple[str, str, int, int], ...]
    """Source, type, events, late events; the most late ones first."""
    behind: Quantiles
    windows: tuple[ChangedWindow, ...]
    """In order of time, hours first."""
    events: tuple[LateEvent, ...]
    """The furthest behind first, as many as were asked for."""
    unreadable: int
    """Late events that are counted and cannot be named: their raw object is gone, or their commit
    is older than the record of which lines were late."""

    @property
    def late(self) -> int:
        """All late events."""
        return sum(late for _, _, _, late in self.counts)

    def as_json(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return {
            "coverage": self.coverage.as_json(),
            "late": self.late,
            "counts": [
                {"source": source, "event_type": kind, "events": events, "late": late}
                for source, kind, events, late in self.counts
            ],
            "behind": self.behind.as_json(),
            "changed_windows": [each.as_json() for each in self.windows],
            "events": [each.as_json() for each in self.events],
            "unreadable": self.unreadable,
        }


@dataclass(frozen=True, slots=True)
class LateEvents:
    """The use case. Raw objects are read of the commits that hold late events, and of no other."""

    commits: CommitPages
    objects: Bodies

    def report(
        self,
        period: Period,
        budget: Budget,
        *,
        cursor: str | None = None,
        source: str | None = None,
        listed: int = 100,
    ) -> LateReport:
        """Return the late events that arrived in a period, of one source only if asked."""
        walk = Walk(self.commits, period, budget, cursor=cursor, lines=True)
        counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        found: list[LateEvent] = []
        for commit in walk:
            for stats in commit.body.stats:
                if source in (None, stats.source):
                    count = counts[stats.source, stats.event_type]
                    count[0] += stats.accepted + stats.duplicates
                    count[1] += stats.late
            late = map(_late_event, self._lines(commit))
            found += [each for each in late if source in (None, each.event.source)]
        behind = histogram(each.behind_ms for each in found)
        ranked = sorted(counts.items(), key=lambda each: (-each[1][1], each[0]))
        return LateReport(
            walk.coverage,
            tuple((*key, events, late) for key, (events, late) in ranked),
            Quantiles(len(found), behind),
            changed_windows(found),
            tuple(sorted(found, key=_furthest_first)[:listed]),
            sum(late for _, late in counts.values()) - len(found),
        )

    def _lines(self, commit: Commit) -> Iterator[LineOfCommit]:
        numbers = [n for n, line in enumerate(commit.body.lines) if line.behind_ms]
        try:
            yield from read_lines(self.objects, commit, numbers)
        except ObjectMissing:
            return


def changed_windows(events: Iterable[LateEvent]) -> tuple[ChangedWindow, ...]:
    """Return the windows that were closed when late events came, in order of time, hours first."""
    counts: Counter[Window] = Counter()
    sources: dict[Window, set[str]] = defaultdict(set)
    for each in events:
        if not each.duplicate:
            for window in each.closed_windows():
                counts[window] += 1
                sources[window].add(each.event.source)
    in_order = sorted(counts, key=lambda window: (window.width is WindowWidth.DAY, window.start))
    return tuple(
        ChangedWindow(window, counts[window], tuple(sorted(sources[window]))) for window in in_order
    )


def _late_event(line: LineOfCommit) -> LateEvent:
    entry = line.entry
    return LateEvent(line.arrival, entry.behind_ms, duplicate=entry.duplicate_of is not None)


def _furthest_first(late: LateEvent) -> tuple[int, str, str]:
    return -late.behind_ms, late.event.source, late.event.event_id
