"""What was done about the records of one commit: marks, each over lines of its quarantine object.

A record is open until a mark holds it. Recovery holds it twice: begun, before it is sent, under the
hash of the rule, so that no other rule ever sends it too; and recovered, once the stream has taken
it. Dropped is held at once. What is held is never held by another.
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import groupby

from millrace.commit import ShardKey


class State(StrEnum):
    """Where a quarantined record stands."""

    OPEN = "open"
    BEGUN = "begun"
    """Sent, or about to be: a recovery that has not ended, or was killed. The same rule ends it."""
    RECOVERED = "recovered"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Mark:
    """One action of somebody on some lines."""

    state: State
    lines: frozenset[int]
    at: datetime
    who: str
    rule_hash: str = ""
    """Of a recovery."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CommitKey:
    """A commit, by its shard and first sequence number."""

    shard: ShardKey
    first_seq: int


@dataclass(frozen=True, slots=True)
class CommitMarks:
    """All marks of one commit. `version` counts the writes: 0 if nothing was marked yet."""

    key: CommitKey
    version: int = 0
    marks: tuple[Mark, ...] = ()

    def mark_of(self, line: int) -> Mark | None:
        """Return the mark that holds a line, if one does."""
        return next((mark for mark in self.marks if line in mark.lines), None)

    def state_of(self, line: int) -> State:
        """Return where a record stands."""
        mark = self.mark_of(line)
        return mark.state if mark else State.OPEN

    def open(self, lines: Set[int]) -> frozenset[int]:
        """Return those of the lines that nothing holds."""
        return frozenset(line for line in lines if self.mark_of(line) is None)

    def begun_by(self, rule_hash: str, lines: Set[int]) -> frozenset[int]:
        """Return those of the lines that a recovery by this rule has begun and not ended."""
        begun = (m.lines for m in self.marks if (m.state, m.rule_hash) == (State.BEGUN, rule_hash))
        return frozenset().union(*begun) & lines

    def with_mark(self, mark: Mark) -> "CommitMarks":
        """Return these with a mark over those of its lines that nothing holds."""
        free = self.open(mark.lines)
        return self if not free else self._changed([*self.marks, replace(mark, lines=free)])

    def recovered(self, mark: Mark) -> "CommitMarks":
        """Return these with those of the mark's lines recovered that its rule has begun."""
        ended = self.begun_by(mark.rule_hash, mark.lines)
        if not ended:
            return self
        left = [
            replace(each, lines=each.lines - ended) if each.state is State.BEGUN else each
            for each in self.marks
        ]
        kept = [each for each in left if each.lines]
        same = [each for each in kept if _same_action(each, mark)]
        others = [each for each in kept if not _same_action(each, mark)]
        lines = ended.union(*(each.lines for each in same))
        return self._changed([*others, replace(mark, lines=lines)])

    def _changed(self, marks: Sequence[Mark]) -> "CommitMarks":
        return replace(self, version=self.version + 1, marks=tuple(marks))


def _same_action(mark: Mark, other: Mark) -> bool:
    """Tell whether two marks may be one: they say the same of their lines, but for the time."""
    return replace(mark, lines=other.lines, at=other.at) == other


def runs_text(lines: Iterable[int]) -> str:
    """Return lines as runs: `0-24,30`. A thousand neighbours are as short as two."""
    return ",".join(f"{a}-{b}" if a != b else str(a) for a, b in _runs(sorted(lines)))


def parse_runs(text: str) -> frozenset[int]:
    """Return the lines that `runs_text` wrote."""
    lines: set[int] = set()
    for run in filter(None, text.split(",")):
        first, _, last = run.partition("-")
        lines.update(range(int(first), int(last or first) + 1))
    return frozenset(lines)


def _runs(ordered: Sequence[int]) -> Iterator[tuple[int, int]]:
    for _, group in groupby(enumerate(ordered), key=lambda each: each[1] - each[0]):
        members = [line for _, line in group]
        yield members[0], members[-1]
