"""What the runner needs of the outside. All calls may block; none of them retries by itself."""

from collections.abc import Sequence
from typing import Any, Protocol

from millrace_mapping.core.discards import Discard
from millrace_mapping.core.effects import Page, ReadFault
from millrace_mapping.core.lineage import Shard
from millrace_mapping.core.measures import Measure
from millrace_mapping.core.outcome import Answer
from millrace_mapping.core.settings import Start


class ReadFailed(Exception):
    """The stream could not be read."""

    def __init__(self, fault: ReadFault, message: str = "") -> None:
        super().__init__(message or fault)
        self.fault = fault


class NotInvoked(Exception):
    """The function was not reached: throttled, missing, or Lambda itself is away."""


class NotDelivered(Exception):
    """The destination refused, or could not be reached."""


class Stream(Protocol):
    """One Kinesis stream, read as the function's role."""

    def shards(self) -> Sequence[Shard]:
        """Return the listed shards. Raises: ReadFailed."""
        ...

    def retention_s(self) -> float:
        """Return how long the stream keeps a record. Raises: ReadFailed."""
        ...

    def open_iterator(self, shard_id: str, start: Start) -> str:
        """Return an iterator that stands at `start`. Raises: ReadFailed."""
        ...

    def read(self, iterator: str) -> Page:
        """Return the next page. Raises: ReadFailed."""
        ...


class Function(Protocol):
    """The function, invoked synchronously."""

    def invoke(self, payload: bytes) -> Answer:
        """Return its answer, an error included. Raises: NotInvoked."""
        ...


class Destination(Protocol):
    """Where discarded batches go."""

    def deliver(self, record: dict[str, Any], discard: Discard) -> None:
        """Keep the invocation record of a discarded batch. Raises: NotDelivered."""
        ...


class Metrics(Protocol):
    """Where measurements go."""

    def publish(self, measures: Sequence[Measure]) -> None:
        """Add the measurements of the last moment; one that is lost is lost."""
        ...
