"""What aggregate needs beyond the shared ports; `aggregate.adapters` and fakes provide it.

All methods may block and may raise RetryableError or ConfigError.
"""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

from aggregate.domain.deltas import Marker
from aggregate.domain.packing import Counter
from millrace.commit import ShardKey


class Markers(Protocol):
    """Who has counted which entity; an owner, once there, never changes."""

    def owners(self, markers: Collection[Marker]) -> Mapping[Marker, str]:
        """Return the owners of those markers that are there; strongly consistent."""
        ...

    def insert_new(self, markers: Sequence[Marker], owner: str) -> AbstractSet[Marker]:
        """Insert each marker for `owner` if it is not there; return those that this call wrote.

        An earlier call of the same owner may have written some of the others.
        """
        ...


class Counters(Protocol):
    """The rows of the aggregates table, added to once for each part of a commit."""

    def add_once(
        self,
        shard: ShardKey,
        first_seq: int,
        part: int,
        counters: Sequence[Counter],
        defs_version: str,
    ) -> bool:
        """Add all counters and mark the part on its commit, in one transaction.

        Returns: False if the part was marked already, in which case nothing is added.

        Raises:
            CommitMissing: the ledger holds no such commit.
        """
        ...
