"""Looking at dead letters, and leaving them where they are."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from millrace.clock import Clock
from millrace.dlq.letter import Letter
from millrace.dlq.notes import Note, Notes, label_of
from millrace.dlq.ports import DeadLetters, Depth
from millrace.dlq.selection import Selection
from millrace.dlq.sweep import Sweep

HOLD_S = 60
_WINDOW = 500

Tell = Callable[[int], None]
"""Told how many messages were gone through so far."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A dead letter, and why it is one."""

    letter: Letter
    note: Note | None
    label: str


@dataclass(frozen=True, slots=True)
class Group:
    """Messages that failed alike."""

    label: str
    messages: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """What there is, and what was looked at of it."""

    depth: Depth
    seen: Sequence[Seen]

    @property
    def groups(self) -> list[Group]:
        """What was looked at by error, the largest group first."""
        counts = Counter(each.label for each in self.seen)
        return [
            Group(
                label,
                count,
                min(each.letter.sent_at for each in self.seen if each.label == label),
            )
            for label, count in counts.most_common()
        ]

    @property
    def oldest(self) -> datetime | None:
        """When the oldest message that was looked at was sent."""
        return min((each.letter.sent_at for each in self.seen), default=None)


@dataclass(frozen=True, slots=True)
class Looking:
    """The use case. What it shows it holds for a moment: nobody else receives that meanwhile."""

    letters: DeadLetters
    notes: Notes
    clock: Clock

    def look(self, selection: Selection, at_most: int, tell: Tell = lambda _: None) -> Look:
        """Return what the selection means among the first `at_most` messages of the queue."""
        depth = self.letters.depth()
        found: list[Seen] = []
        with self.swept(at_most, tell) as windows:
            for window in windows:
                found += self._selected(window, selection)
                if selection.limit is not None and len(found) >= selection.limit:
                    break
        limited = found if selection.limit is None else found[: selection.limit]
        return Look(depth, limited)

    @contextmanager
    def swept(self, at_most: int, tell: Tell) -> Iterator[Iterator[list[Seen]]]:
        """Yield windows of messages; at the end all are given back."""
        sweep = Sweep(self.letters, HOLD_S)
        try:
            yield self._windows(sweep, at_most, tell)
        finally:
            sweep.give_back()

    def seen(self, letters: Sequence[Letter]) -> list[Seen]:
        """Return messages with why they failed."""
        hashes = {each.body_hash for each in letters}
        notes = self.notes.read(self.letters.queue, hashes) if hashes else {}
        return [
            Seen(each, note := notes.get(each.body_hash), label_of(each, note)) for each in letters
        ]

    def _selected(self, window: list[Seen], selection: Selection) -> list[Seen]:
        now = self.clock.now()
        return [each for each in window if selection.takes(each.letter, each.label, now)]

    def _windows(self, sweep: Sweep, at_most: int, tell: Tell) -> Iterator[list[Seen]]:
        taken = 0
        while window := sweep.take(min(_WINDOW, at_most - taken)):
            sweep.keep(window)
            taken += len(window)
            tell(taken)
            yield self.seen(window)
