"""Who plays in a simulation: the function, the weather, and whoever watches."""

from dataclasses import dataclass
from typing import Protocol

from millrace_mapping.core.discards import Discard
from millrace_mapping.core.effects import Invoke, Page, ReadFault
from millrace_mapping.core.outcome import Answer
from millrace_mapping.core.retrying import Batch


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an invocation comes to. answer: None if the function was not reached.

    done: how many records are truly dealt with, whatever the answer says.
    """

    answer: Answer | None
    done: int
    duration_s: float


class Function(Protocol):
    """The function under simulation."""

    def invoke(self, shard_id: str, batch: Batch, now: float) -> Attempt:
        """Return what comes of invoking it with the batch."""
        ...


class Weather(Protocol):
    """What the surroundings do to reads and destinations."""

    def read_fault(self, now: float) -> ReadFault | None:
        """Return why a read fails now; None if it does not."""
        ...

    def destination_fault(self, now: float) -> str | None:
        """Return why a delivery fails now; None if it does not."""
        ...


class Watcher(Protocol):
    """Is told of everything as it happens."""

    def began(self, shard_id: str, now: float) -> None: ...  # noqa: D102
    def page_read(self, shard_id: str, page: Page, now: float) -> None: ...  # noqa: D102
    def invoked(self, shard_id: str, effect: Invoke, now: float) -> None: ...  # noqa: D102
    def answered(  # noqa: D102
        self, shard_id: str, effect: Invoke, attempt: Attempt, now: float
    ) -> None: ...
    def discarded(self, shard_id: str, discard: Discard, now: float) -> None: ...  # noqa: D102
    def delivered(  # noqa: D102
        self, shard_id: str, discard: Discard, failure: str | None, now: float
    ) -> None: ...
    def read_failed(self, shard_id: str, fault: ReadFault, now: float) -> None: ...  # noqa: D102
    def crashed(self, now: float) -> None: ...  # noqa: D102


class FairWeather:
    """Nothing fails."""

    def read_fault(self, now: float) -> ReadFault | None:
        """Return None."""
        del now
        return None

    def destination_fault(self, now: float) -> str | None:
        """Return None."""
        del now
        return None
