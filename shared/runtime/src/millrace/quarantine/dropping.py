"""Dropping: records that nobody wants back are marked so, with a reason. Their bytes stay."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from millrace.clock import Clock
from millrace.quarantine.marking import change_marks
from millrace.quarantine.marks import CommitMarks, Mark, State
from millrace.quarantine.ports import MarkStore
from millrace.quarantine.reading import HeldCommit
from millrace.quarantine.recovering import Actor


@dataclass(slots=True)
class Dropped:
    """What was dropped so far."""

    records: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """By the reason of their rejection."""


class Dropping:
    """The use case on one stream."""

    def __init__(self, marks: MarkStore, clock: Clock) -> None:
        self._marks = marks
        self._clock = clock

    def drop(
        self,
        commits: Iterable[HeldCommit],
        actor: Actor,
        dropped: Dropped,
        tell: Callable[[Dropped], None] = lambda _: None,
    ) -> None:
        """Mark those of the records dropped that are open at that moment."""
        for commit in commits:
            lines = frozenset(record.line for record in commit.records)
            mark = Mark(State.DROPPED, lines, self._clock.now(), actor.who, reason=actor.reason)
            before, _ = change_marks(
                self._marks, commit.marks, partial(CommitMarks.with_mark, mark=mark)
            )
            free = before.open(lines)
            taken = [record for record in commit.records if record.line in free]
            dropped.records += len(taken)
            dropped.reasons.update(record.reason for record in taken)
            tell(dropped)
