"""Commits by arrival in memory, and what an investigation reads, for tests."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from millrace.aggregates import AggregateRow, Scope
from millrace.commit import Commit, CommitBody, Owner, ShardKey
from millrace.read_cost import Budget, ReadCost
from millrace.times import to_epoch_ms
from millrace.windows import Window
from millrace_testing.builders import ARRIVAL
from millrace_testing.fakes import FakeLedger, FixedClock


class FakeCommitPages:
    """`millrace.investigate.ports.CommitPages` over a fake ledger."""

    def __init__(self, ledger: FakeLedger, page_commits: int = 1000) -> None:
        self.ledger = ledger
        self.cost = ReadCost()
        self._page_commits = page_commits

    def shards(self) -> Sequence[ShardKey]:
        """Return the shards that have commits, in order."""
        return sorted({shard for shard, _ in self.ledger.commits}, key=str)

    def first_arrived(self, shard: ShardKey, at: datetime) -> int | None:
        """Return where the commits begin whose last record arrived at `at` or later."""
        heads = (head for head in self.ledger.heads(shard) if head.last_arrival >= at)
        return next((head.first_seq for head in heads), None)

    def pages(self, shard: ShardKey, first_seq: int, *, lines: bool) -> Iterator[Sequence[Commit]]:
        """Yield the commits that begin at `first_seq` or later, in order."""
        heads = (head for head in self.ledger.heads(shard) if head.first_seq >= first_seq)
        commits = (self.ledger.load(shard, head.first_seq) for head in heads)
        for page in _batched(commits, self._page_commits):
            self.cost.queries += 1
            yield [each if lines else _without_lines(each) for each in page]


class FakeGate:
    """`millrace.investigate.ports.Gate` in a dictionary."""

    def __init__(self) -> None:
        self.owners: dict[tuple[str, str], Owner] = {}

    def owner_of(self, source: str, event_id: str) -> Owner | None:
        """Return the place of the event that holds (source, event_id)."""
        return self.owners.get((source, event_id))


class FakeRows:
    """`millrace.investigate.ports.CountedRows` in a list."""

    def __init__(self) -> None:
        self.stored: list[AggregateRow] = []

    def name(self, scope: Scope) -> str:
        """Return the dimension and the ids."""
        return "#".join((scope.dimension.name, *scope.ids))

    def rows(self, scope: Scope, window: Window) -> Iterable[AggregateRow]:
        """Return the rows of one scope and window."""
        return [row for row in self.stored if (row.key.scope, row.key.window) == (scope, window)]


class FakeManifests:
    """`millrace.investigate.ports.Manifests` in lists by hour."""

    def __init__(self) -> None:
        self.objects: dict[str, list[Mapping[str, Any]]] = {}
        self.files: dict[str, list[Mapping[str, Any]]] = {}

    def archived(self, hour: str) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of an hour's archive objects."""
        return iter(self.objects.get(hour, ()))

    def exported(self, hour: str) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of the clients that an hour was exported for."""
        return iter(self.files.get(hour, ()))


def unbounded(cost: ReadCost | None = None) -> Budget:
    """Return a budget that lasts."""
    return Budget(cost or ReadCost(), FixedClock(ARRIVAL))


def arrived(commit: Commit, at: datetime) -> Commit:
    """Return the commit as if all of it had arrived at that time."""
    head = replace(commit.head, first_arrival=at, last_arrival=at, committed_at=at)
    lines = tuple(replace(line, arrival_ms=to_epoch_ms(at)) for line in commit.body.lines)
    return replace(commit, head=head, body=replace(commit.body, lines=lines))


def _without_lines(commit: Commit) -> Commit:
    return replace(commit, body=CommitBody((), (), commit.body.stats))


def _batched(commits: Iterator[Commit], size: int) -> Iterator[Sequence[Commit]]:
    page: list[Commit] = []
    for commit in commits:
        page.append(commit)
        if len(page) == size:
            yield page
            page = []
    if page:
        yield page
