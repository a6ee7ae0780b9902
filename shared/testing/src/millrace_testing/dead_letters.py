"""A queue with its dead letters in memory, and a consumer that notes what it fails at."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count

from millrace.clock import Clock
from millrace.dlq.letter import Letter, body_hash
from millrace.dlq.notes import Note, Outcome
from millrace.dlq.ports import Depth

QUEUE = "test-aggregate"


@dataclass(slots=True)
class _Lying:
    letter: Letter
    free_at: datetime


class FakeDeadLetters:
    """`millrace.dlq.ports.DeadLetters` in a dictionary.

    What is sent back goes to `consume` at once; without one it is only kept in `sent`.
    """

    queue = QUEUE

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = count()
        self._lying: dict[str, _Lying] = {}
        self.sent: list[tuple[str, str]] = []
        """Bodies that were sent back, each with its canary or nothing."""
        self.consume: Callable[[str, str], None] = lambda _body, _canary: None

    def put(self, body: str, *, age_s: float = 60, receives: int = 5) -> str:
        """Let a message be there that was first sent `age_s` ago; return its id."""
        number = next(self._numbers)
        message_id = f"message-{number}"
        sent_at = self._clock.now() - timedelta(seconds=age_s)
        letter = Letter(message_id, "", body, sent_at, receives)
        self._lying[message_id] = _Lying(letter, self._clock.now())
        return message_id

    @property
    def bodies(self) -> list[str]:
        """Bodies of all messages that are there, held or not."""
        return [each.letter.body for each in self._lying.values()]

    @property
    def free(self) -> int:
        """How many messages somebody could receive now."""
        return sum(each.free_at <= self._clock.now() for each in self._lying.values())

    def depth(self) -> Depth:
        """Return how many messages there are."""
        return Depth(self.free, len(self._lying) - self.free, timedelta(days=14))

    def receive(self, at_most: int, hold_s: int) -> Sequence[Letter]:
        """Return up to ten free messages, the first that came first."""
        now = self._clock.now()
        found = [each for each in self._lying.values() if each.free_at <= now][: min(at_most, 10)]
        for each in found:
            each.free_at = now + timedelta(seconds=hold_s)
            each.letter = replace(
                each.letter,
                receipt=f"receipt-{next(self._numbers)}",
                receives=each.letter.receives + 1,
            )
        return [each.letter for each in found]

    def hold(self, letters: Sequence[Letter], hold_s: int) -> None:
        """Keep them from others, or give them back, where the receipt is the last one."""
        until = self._clock.now() + timedelta(seconds=hold_s)
        for each in letters:
            if self._is_current(each):
                self._lying[each.message_id].free_at = until

    def send_back(self, letters: Sequence[Letter], canary: str = "") -> None:
        """Keep what was sent, and have it consumed."""
        for each in letters:
            self.sent.append((each.body, canary))
            self.consume(each.body, canary)

    def delete(self, letters: Sequence[Letter]) -> int:
        """Delete those whose receipt is the last one; return how many were not."""
        mine = [each for each in letters if self._is_current(each)]
        for each in mine:
            del self._lying[each.message_id]
        return len(letters) - len(mine)

    def _is_current(self, letter: Letter) -> bool:
        lying = self._lying.get(letter.message_id)
        return lying is not None and lying.letter.receipt == letter.receipt


class FakeNotes:
    """`millrace.dlq.notes.Notes` in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Note] = {}

    def write(self, notes: Sequence[Note]) -> None:
        """Keep the notes, over earlier ones of the same messages."""
        self.kept |= {(each.queue, each.body_hash): each for each in notes}

    def read(self, queue: str, hashes: Collection[str]) -> Mapping[str, Note]:
        """Return the notes there are by body hash."""
        found = ((each, self.kept.get((queue, each))) for each in hashes)
        return {each: note for each, note in found if note is not None}


class FakeConsumer:
    """Does what it can with each body, notes failures, and lets those be dead letters again.

    `why` says why a body fails, or "" if it does not.
    """

    def __init__(
        self, letters: FakeDeadLetters, notes: FakeNotes, clock: Clock, why: Callable[[str], str]
    ) -> None:
        self.why = why
        self.done: list[str] = []
        self._letters = letters
        self._notes = notes
        self._clock = clock
        letters.consume = self._consume

    def fail(self, body: str, detail: str, *, age_s: float = 60) -> str:
        """Let a body be a dead letter that failed so; return its id."""
        self._notes.write([self._note(body, detail, "")])
        return self._letters.put(body, age_s=age_s)

    def _consume(self, body: str, canary: str) -> None:
        why = self.why(body)
        if why:
            self._letters.put(body, age_s=0)
        else:
            self.done.append(body)
        if why or canary:
            self._notes.write([self._note(body, why, canary)])

    def _note(self, body: str, why: str, canary: str) -> Note:
        return Note(
            queue=QUEUE,
            body_hash=body_hash(body),
            outcome=Outcome.FAILED if why else Outcome.DONE,
            at=self._clock.now(),
            request_id="request-1",
            receives=5,
            error="ConfigError" if why else "",
            detail=why,
            canary=canary,
        )
