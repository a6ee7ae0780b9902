"""Which events came again: how often, from whom, how soon, and with what changed."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from millrace.commit import Commit, CommittedLine, Owner, ShardKey
from millrace.errors import ObjectMissing
from millrace.investigate.lag import Quantiles
from millrace.investigate.lines import Arrival, LineOfCommit, read_lines
from millrace.investigate.ports import Bodies, CommitHeads, CommitPages
from millrace.investigate.walking import Coverage, Period, Walk
from millrace.lag import histogram
from millrace.read_cost import Budget

_COMMITS_KEPT = 256


@dataclass(frozen=True, slots=True)
class Rate:
    """The repetitions among the events of one source and type."""

    source: str
    event_type: str
    events: int
    """Accepted and repeated."""
    duplicates: int
    conflicts: int
    """Repetitions with another content."""

    @property
    def share(self) -> float:
        """Repetitions of all events."""
        return self.duplicates / self.events if self.events else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the rate for JSON."""
        return {
            "source": self.source, "event_type": self.event_type, "events": self.events,
            "duplicates": self.duplicates, "conflicts": self.conflicts,
            "duplicate_share": round(self.share, 6),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Repetition:
    """One event that came again."""

    event: Arrival
    owner: Owner
    """The place of the event that it repeats."""
    after_ms: int | None
    """Since the first arrival; None if the first one's commit cannot be read."""
    conflict: bool

    def as_json(self) -> dict[str, Any]:
        """Return the repetition for JSON."""
        return self.event.as_json() | {
            "repeats": str(self.owner),
            "after_ms": self.after_ms,
            "conflict": self.conflict,
        }


@dataclass(frozen=True, slots=True)
class DuplicateReport:
    """The answer: the repetitions that arrived in the period."""

    coverage: Coverage
    rates: tuple[Rate, ...]
    """The most repetitions first."""
    between: Quantiles
    """Time from the first arrival to the repetition."""
    worst_entities: tuple[tuple[str, int], ...]
    repetitions: tuple[Repetition, ...]
    """The first of them, as many as were asked for; conflicts first."""
    unreadable: int
    """Repetitions whose raw object is gone."""

    @property
    def duplicates(self) -> int:
        """All repetitions."""
        return sum(rate.duplicates for rate in self.rates)

    def as_json(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return {
            "coverage": self.coverage.as_json(),
            "events": sum(rate.events for rate in self.rates),
            "duplicates": self.duplicates,
            "conflicts": sum(rate.conflicts for rate in self.rates),
            "rates": [rate.as_json() for rate in self.rates],
            "time_between": self.between.as_json(),
            "worst_entities": [
                {"entity_id": entity, "duplicates": count} for entity, count in self.worst_entities
            ],
            "repetitions": [each.as_json() for each in self.repetitions],
            "unreadable": self.unreadable,
        }


@dataclass(slots=True)
class _Rates:
    events: int = 0
    duplicates: int = 0
    conflicts: int = 0


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The use case. Raw objects are read of the commits that hold repetitions, and of no other."""

    commits: CommitPages
    ledger: CommitHeads
    objects: Bodies

    def report(
        self,
        period: Period,
        budget: Budget,
        *,
        cursor: str | None = None,
        source: str | None = None,
        listed: int = 100,
    ) -> DuplicateReport:
        """Return the repetitions that arrived in a period, of one source only if asked."""
        walk = Walk(self.commits, period, budget, cursor=cursor, lines=True)
        rates: dict[tuple[str, str], _Rates] = defaultdict(_Rates)
        found = _Found()
        for commit in walk:
            _count(commit, rates, source)
            for line in self._lines(commit, found):
                if source in (None, line.event.source):
                    found.add(line, self._after_ms(line, found))
        return found.report(walk.coverage, _ranked(rates), listed)

    def _lines(self, commit: Commit, found: "_Found") -> Iterator[LineOfCommit]:
        found.remember(commit)
        numbers = [n for n, line in enumerate(commit.body.lines) if line.duplicate_of is not None]
        try:
            yield from read_lines(self.objects, commit, numbers)
        except ObjectMissing:
            found.unreadable += len(numbers)

    def _after_ms(self, line: LineOfCommit, found: "_Found") -> int | None:
        """Return the time since the first arrival; usually its commit was read just before."""
        owner = line.entry.duplicate_of
        if owner is None:
            return None
        if owner not in found.arrivals:
            head = self.ledger.covering(ShardKey.parse(owner.shard), owner.seq)
            if head is not None:
                found.remember(self.ledger.load(head.shard, head.first_seq))
        first_ms = found.arrivals.get(owner)
        return None if first_ms is None else line.entry.arrival_ms - first_ms


@dataclass(slots=True)
class _Found:
    repetitions: list[Repetition] = field(default_factory=list)
    entities: Counter[str] = field(default_factory=Counter)
    arrivals: dict[Owner, int] = field(default_factory=dict)
    """Of the lines of the commits that were read last."""
    commits: list[list[Owner]] = field(default_factory=list)
    unreadable: int = 0

    def remember(self, commit: Commit) -> None:
        owners = [_owner(commit, line) for line in commit.body.lines]
        self.arrivals.update(
            zip(owners, (line.arrival_ms for line in commit.body.lines), strict=True)
        )
        self.commits.append(owners)
        if len(self.commits) > _COMMITS_KEPT:
            for owner in self.commits.pop(0):
                self.arrivals.pop(owner, None)

    def add(self, line: LineOfCommit, after_ms: int | None) -> None:
        entry, event = line.entry, line.arrival
        if entry.duplicate_of is None:
            return
        self.entities[event.entity_id] += 1
        self.repetitions.append(
            Repetition(event, entry.duplicate_of, after_ms, conflict=entry.conflict)
        )

    def report(self, coverage: Coverage, rates: tuple[Rate, ...], listed: int) -> DuplicateReport:
        between = histogram(each.after_ms for each in self.repetitions if each.after_ms is not None)
        worst = sorted(self.entities.items(), key=lambda each: (-each[1], each[0]))
        in_order = sorted(
            self.repetitions, key=lambda each: (not each.conflict, each.event.arrival_time)
        )
        return DuplicateReport(
            coverage,
            rates,
            Quantiles(sum(between.values()), between),
            tuple(worst[:10]),
            tuple(in_order[:listed]),
            self.unreadable,
        )


def _owner(commit: Commit, line: CommittedLine) -> Owner:
    return Owner(str(commit.head.shard), line.seq, line.position)


def _count(commit: Commit, rates: Mapping[tuple[str, str], _Rates], source: str | None) -> None:
    for stats in commit.body.stats:
        if source in (None, stats.source):
            rate = rates[stats.source, stats.event_type]
            rate.events += stats.accepted + stats.duplicates
            rate.duplicates += stats.duplicates
            rate.conflicts += stats.conflicts


def _ranked(rates: Mapping[tuple[str, str], _Rates]) -> tuple[Rate, ...]:
    found = (
        Rate(*key, each.events, each.duplicates, each.conflicts) for key, each in rates.items()
    )
    return tuple(sorted(found, key=lambda each: (-each.duplicates, each.source, each.event_type)))
