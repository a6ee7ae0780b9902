"""What ingest alone needs of the outside."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from ingest.domain.deduplication import Claim, Holder

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
