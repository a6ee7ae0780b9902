"""How far a shard is done with, although its lanes finish records out of order."""

from collections import deque
from collections.abc import Iterable


class Checkpoint:
    """The last sequence number with nothing open at or before it.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html: a mapping that is
    enabled again continues after the last record it processed.
    """

    def __init__(self, position: str | None) -> None:
        """Begin after `position`, None for the shard's start."""
        self.position = position
        self._open: deque[str] = deque()
        self._finished: set[str] = set()

    @property
    def open_count(self) -> int:
        """How many records are read and not known to be done."""
        return len(self._open) - len(self._finished)

    def read(self, sequences: Iterable[str]) -> None:
        """Note records that were read, in their order."""
        self._open.extend(sequences)

    def finish(self, sequences: Iterable[str]) -> None:
        """Note records that are done with, in any order, and move on as far as possible."""
        self._finished.update(sequences)
        while self._open and self._open[0] in self._finished:
            self.position = self._open.popleft()
            self._finished.discard(self.position)
