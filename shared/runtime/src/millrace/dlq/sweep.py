"""Going through a dead-letter queue once, although SQS shows a message as often as it likes."""

from collections.abc import Collection, Sequence

from millrace.dlq.letter import Letter
from millrace.dlq.ports import DeadLetters

_AT_ONCE = 10  # what one receive returns at most


class Sweep:
    """Receives each message once and holds it, so that the next receive brings another.

    What is neither deleted nor given back comes free by itself when its hold ends, also if this
    process is killed.
    """

    def __init__(self, letters: DeadLetters, hold_s: int) -> None:
        self._letters = letters
        self._hold_s = hold_s
        self._seen: set[str] = set()
        self._kept: dict[str, Letter] = {}

    def take(self, size: int) -> list[Letter]:
        """Return up to `size` messages that were not taken before; none: that was all."""
        taken: list[Letter] = []
        came_again = 0
        while len(taken) < size:
            received = self._letters.receive(min(_AT_ONCE, size - len(taken)), self._hold_s)
            new = [each for each in received if each.message_id not in self._seen]
            self.keep([each for each in received if each.message_id in self._seen])
            taken += new
            self._seen.update(each.message_id for each in new)
            came_again = 0 if new else came_again + len(received)
            # All that is kept has come round since the last new one: there is no new one.
            if not received or came_again > len(self._kept):
                break
        return taken

    def keep(self, letters: Collection[Letter]) -> None:
        """Leave them in the queue, out of the way of the next receive."""
        self._kept.update({each.message_id: each for each in letters})

    def give_back(self) -> None:
        """Let everybody receive again what was kept."""
        kept: Sequence[Letter] = list(self._kept.values())
        self._kept.clear()
        self._letters.hold(kept, 0)
