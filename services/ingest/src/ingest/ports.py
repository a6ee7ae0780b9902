"""What ingest alone needs of the outside."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ingest.domain.deduplication import Claim, Holder


class Gate(Protocol):
    """The table of first comers by (source, event_id)."""

    def claim(self, claims: Sequence[Claim]) -> Mapping[bytes, Holder]:
        """Insert each claim if its key is free; return who holds each key now.

        A key that stays unresolved (throttled to the end) is missing from the answer. May block.

        Raises:
            ConfigError: a missing right or table; RetryableError: the gate cannot be reached.
        """
        ...
