"""What ingest alone needs of the outside."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from ingest.domain.deduplication import Claim, Holder, Takeover
from ingest.domain.records import StreamRecord
from millrace.commit import SeqRange

HasTime = Callable[[], bool]
"""Tells whether there is time to begin anything more."""


def always() -> bool:
    """Say yes: nothing waits for the end."""
    return True


class Gate(Protocol):
    """The table of first comers by (source, event_id)."""

    def claim(self, claims: Sequence[Claim], has_time: HasTime = always) -> Mapping[bytes, Holder]:
        """Insert each claim if its key is free; return who holds each key now.

        A key that stays unresolved (throttled to the end, or never tried because time ran out) is
        missing from the answer. May block.

        Raises:
            ConfigError: a missing right or table; RetryableError: the gate cannot be reached.
        """
        ...

    def take_over(
        self, takeovers: Sequence[Takeover], has_time: HasTime = always
    ) -> Mapping[bytes, Holder]:
        """Replace each lost owner if it is still the one; return who holds these keys now.

        A key that somebody else took first is missing from the answer, as is one never tried.

        Raises:
            ConfigError: a missing right or table; RetryableError: the gate cannot be reached.
        """
        ...


class StreamRange(Protocol):
    """The stream as a repair reads it. May block, raise RetryableError or ConfigError."""

    def records(self, shard_id: str, within: SeqRange) -> Sequence[StreamRecord]:
        """Return the records of the range that the stream still holds, in order."""
        ...
