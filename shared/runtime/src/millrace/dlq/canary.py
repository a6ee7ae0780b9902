"""Canaries: some messages go first, so that a consumer that still fails does not get the rest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import uuid4

from millrace.clock import Clock
from millrace.dlq.letter import Letter
from millrace.dlq.notes import Note, Notes, Outcome
from millrace.dlq.ports import DeadLetters

_POLL_S = 0.5


class Verdict(StrEnum):
    """What a group's canaries said."""

    WORKS = "works"
    STILL_FAILS = "still fails"
    NO_NEWS = "no news"
    """Nothing was noted in time: the consumer is off, slow, or may not note."""


@dataclass(frozen=True, slots=True)
class Canaries:
    """Sends canaries and waits for what their consumer notes."""

    letters: DeadLetters
    notes: Notes
    clock: Clock
    wait: Callable[[float], None]
    wait_s: int
    """How long to wait for news."""

    def fly(self, letters: Sequence[Letter]) -> list[Verdict]:
        """Send messages back as canaries, and return what became of each, in their order.

        They are deleted here first thing: one that fails comes back by itself, as any other does.
        """
        canary = uuid4().hex
        self.letters.send_back(letters, canary)
        self.letters.delete(letters)
        heard = self._heard({each.body_hash for each in letters}, canary)
        return [_verdict(heard.get(each.body_hash)) for each in letters]

    def _heard(self, hashes: set[str], canary: str) -> Mapping[str, Note]:
        deadline = self.clock.now() + timedelta(seconds=self.wait_s)
        heard: dict[str, Note] = {}
        while True:
            noted = self.notes.read(self.letters.queue, hashes - heard.keys())
            heard |= {each: note for each, note in noted.items() if note.canary == canary}
            if heard.keys() == hashes or self.clock.now() >= deadline:
                return heard
            self.wait(_POLL_S)


def _verdict(note: Note | None) -> Verdict:
    if note is None:
        return Verdict.NO_NEWS
    return Verdict.WORKS if note.outcome is Outcome.DONE else Verdict.STILL_FAILS
