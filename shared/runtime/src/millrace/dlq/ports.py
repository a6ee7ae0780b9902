"""What dealing with dead letters needs of the outside; `millrace.aws.dead_letters` provides it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from millrace.dlq.letter import Letter


@dataclass(frozen=True, slots=True)
class Depth:
    """About how many messages a queue holds."""

    visible: int
    held: int
    """Received by somebody and not yet given back or deleted."""
    retention: timedelta
    """How long after it was first sent SQS drops a message."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.visible + self.held


class DeadLetters(Protocol):
    """One dead-letter queue and the queue that feeds it. May block.

    Raises:
        RetryableError, ConfigError: SQS did not do it.
    """

    @property
    def queue(self) -> str:
        """Name of the queue on which the messages failed."""
        ...

    def depth(self) -> Depth:
        """Return about how many messages there are."""
        ...

    def receive(self, at_most: int, hold_s: int) -> Sequence[Letter]:
        """Return up to ten messages, which nobody else receives for `hold_s`; none: none is free.

        SQS has no peek: this counts as a receive. A dead-letter queue has no redrive policy of its
        own, so no number of receives moves a message on.
        """
        ...

    def hold(self, letters: Sequence[Letter], hold_s: int) -> None:
        """Keep them from others for `hold_s` more, or give them back (0), as far as possible."""
        ...

    def send_back(self, letters: Sequence[Letter], canary: str = "") -> None:
        """Send them to the queue where they failed; when this returns, it has all of them.

        Raises:
            RetryableError: some may be there, some not: they may all be sent again.
        """
        ...

    def delete(self, letters: Sequence[Letter]) -> int:
        """Delete them and return how many were not deleted: those come again."""
        ...


class TaskState(StrEnum):
    """How far a move task is."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class MoveTask:
    """SQS's own redrive of a whole dead-letter queue."""

    state: TaskState
    moved: int
    to_move: int
    handle: str = ""
    """To cancel it with, while it runs."""
    failure: str = ""


class MoveTasks(Protocol):
    """SQS moving a dead-letter queue by itself. May block, raise RetryableError or ConfigError."""

    def start(self, rate: int) -> None:
        """Begin to move everything back, at most so many messages a second."""
        ...

    def latest(self) -> MoveTask | None:
        """Return the newest task of the queue, if there was one."""
        ...

    def cancel(self, handle: str) -> None:
        """End a running task; what was moved stays moved."""
        ...
