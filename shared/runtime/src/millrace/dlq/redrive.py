"""Redrive: dead letters back to the queue where they failed, canaries first.

Each message is sent before it is deleted, so one that is killed in between leaves it in both
queues: it is processed twice, which changes nothing (every effect is keyed by the commit or the
replayed event), and never lost.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from millrace.clock import Clock
from millrace.dlq.canary import Canaries, Verdict
from millrace.dlq.letter import Letter
from millrace.dlq.looking import Looking, Tell
from millrace.dlq.notes import Notes
from millrace.dlq.ports import DeadLetters
from millrace.dlq.selection import Selection
from millrace.dlq.sweep import Sweep

CANARIES = 3
"""How many messages of a group may fail before the group is left where it is."""
DEFAULT_RATE = 100
DEFAULT_WAIT_S = 60
_WINDOW = 500
_WINDOW_S = 30  # what is held is sent in this time, so that no hold ends before
_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Order:
    """What to send back, and how."""

    selection: Selection = field(default_factory=Selection)
    rate: int = DEFAULT_RATE
    """Messages a second at most."""
    force: bool = False
    """Without canaries."""
    wait_s: int = DEFAULT_WAIT_S
    """How long to wait for news of a canary."""
    until: datetime | None = None
    """No more after this."""


@dataclass(slots=True)
class Redriven:
    """What a redrive did; `left` of it is for another one."""

    started: datetime
    sent: int = 0
    """Messages sent back, canaries that did not fail among them."""
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    """Of each group that was tried, by its error."""
    failed_canaries: int = 0
    """They come back to the dead-letter queue once they have failed often enough."""
    kept: Counter[str] = field(default_factory=Counter)
    """Messages of groups that still fail, by error: they stay."""
    undeleted: int = 0
    """Sent, and still there: sent once more by the next redrive, which changes nothing."""
    newer: int = 0
    """Arrived since the redrive began, and left alone."""
    ended_early: bool = False
    """There was no time for more, or the limit was reached."""

    @property
    def left(self) -> int:
        """How many messages that were meant need another look."""
        return self.failed_canaries + self.kept.total() + self.undeleted


@dataclass(frozen=True, slots=True)
class Redrive:
    """The use case; it may be killed anywhere and run again.

    Two at once of one queue do no harm and help nobody: each leaves out what the other holds.
    """

    letters: DeadLetters
    notes: Notes
    clock: Clock
    wait: Callable[[float], None]

    def redrive(
        self, order: Order, tell: Tell = lambda _: None, so_far: Redriven | None = None
    ) -> Redriven:
        """Send back what the order means, as far as the consumer does its work again.

        Messages that failed alike are a group. Up to CANARIES of each go first; when one is done,
        the others follow, and when none is, they stay: a message that can never be processed stops
        nobody but its like.

        so_far: what an earlier one did that this one goes on with.

        Raises:
            RetryableError, ConfigError: SQS or the notes cannot be reached; what was sent stays
                sent, and the next redrive sends the rest.
        """
        done = so_far or Redriven(self.clock.now())
        _Run(self, order, done, tell).through()
        return done


@dataclass(frozen=True, slots=True)
class _Run:
    """One redrive on its way."""

    by: Redrive
    order: Order
    done: Redriven
    tell: Tell

    def through(self) -> None:
        """Take window after window until nothing is left, or no time, or the limit is reached."""
        sweep = Sweep(self.by.letters, self._hold_s)
        try:
            while not self._over() and (window := sweep.take(self._window)):
                sweep.keep(self._redriven(window))
        finally:
            sweep.give_back()

    def _redriven(self, window: Sequence[Letter]) -> list[Letter]:
        """Send back what can go of a window, and return what stays."""
        groups, stay = self._selected(window)
        if not self.order.force:
            self._try(groups)
        for label, letters in groups.items():
            verdict = self.done.verdicts.get(label)
            if verdict in {None, Verdict.WORKS}:
                stay += self._send(letters)
            else:
                self.done.kept[label] += len(letters)
                stay += letters
        return stay

    def _selected(self, window: Sequence[Letter]) -> tuple[dict[str, list[Letter]], list[Letter]]:
        """Return what is meant by error, and what is not."""
        looking = Looking(self.by.letters, self.by.notes, self.by.clock)
        groups: dict[str, list[Letter]] = defaultdict(list)
        stay: list[Letter] = []
        room, started = self._room(), self.done.started
        for each in looking.seen(window):
            letter = each.letter
            # What failed again is a new message, sent since: it would go round for ever.
            newer = letter.sent_at >= started
            meant = self.order.selection.takes(letter, each.label, started)
            self.done.newer += newer and meant
            if newer or not meant or room <= 0:
                stay.append(letter)
            else:
                groups[each.label].append(letter)
                room -= 1
        return dict(groups), stay

    def _try(self, groups: Mapping[str, list[Letter]]) -> None:
        """Let each group that is not known yet send canaries until one says how it is."""
        by = self.by
        canaries = Canaries(by.letters, by.notes, by.clock, by.wait, self.order.wait_s)
        open_groups = [label for label in groups if label not in self.done.verdicts]
        for number in range(CANARIES):
            flying = [label for label in open_groups if groups[label]]
            if not flying:
                return
            verdicts = canaries.fly([groups[label].pop(0) for label in flying])
            self._note(dict(zip(flying, verdicts, strict=True)))
            open_groups = [
                label
                for label in flying
                if self.done.verdicts[label] is Verdict.STILL_FAILS and number + 1 < CANARIES
            ]
            by.letters.hold([each for group in groups.values() for each in group], self._hold_s)

    def _note(self, verdicts: Mapping[str, Verdict]) -> None:
        self.done.verdicts.update(verdicts)
        works = list(verdicts.values()).count(Verdict.WORKS)
        self.done.sent += works
        self.done.failed_canaries += len(verdicts) - works
        self.tell(self.done.sent)

    def _send(self, letters: Sequence[Letter]) -> Sequence[Letter]:
        """Send and delete, a few at a time, no faster than the rate; return what time left over."""
        at_once = min(_AT_ONCE, self.order.rate)
        for start in range(0, len(letters), at_once):
            if self._is_late():
                return letters[start:]
            began = self.by.clock.now()
            some = letters[start : start + at_once]
            self.by.letters.send_back(some)
            self.done.undeleted += self.by.letters.delete(some)
            self.done.sent += len(some)
            self.tell(self.done.sent)
            took_s = (self.by.clock.now() - began).total_seconds()
            self.by.wait(max(0.0, len(some) / self.order.rate - took_s))
        return ()

    def _is_late(self) -> bool:
        return self.order.until is not None and self.by.clock.now() >= self.order.until

    def _over(self) -> bool:
        self.done.ended_early = self._is_late() or self._room() <= 0
        return self.done.ended_early or self._all_named_are_found()

    def _all_named_are_found(self) -> bool:
        named = len(frozenset(self.order.selection.message_ids))
        gone = self.done.sent + self.done.failed_canaries + self.done.kept.total()
        return 0 < named <= gone

    def _room(self) -> int:
        """How many messages may still go; a great number where there is no limit."""
        limit = self.order.selection.limit
        tried = self.done.sent + self.done.failed_canaries
        return _WINDOW if limit is None else limit - tried

    @property
    def _window(self) -> int:
        return max(1, min(_WINDOW, self.order.rate * _WINDOW_S))

    @property
    def _hold_s(self) -> int:
        return int(timedelta(seconds=self.order.wait_s + 2 * _WINDOW_S).total_seconds())
