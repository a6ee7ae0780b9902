"""What aggregate needs beyond the shared ports; `aggregate.adapters` and fakes provide it.

All methods may block and may raise RetryableError or ConfigError.
"""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

from aggregate.domain.packing import Part, Place
from millrace.aggregates import AggregateKey, Version
from millrace.counting.deltas import Marker


class Markers(Protocol):
    """Who has counted which entity; an owner, once there, never changes."""

    def owners(self, markers: Collection[Marker]) -> Mapping[Marker, str]:
        """Return the owners of those markers that are there; strongly consistent."""
        ...

    def insert_new(self, owners: Mapping[Marker, str]) -> AbstractSet[Marker]:
        """Insert each marker for its owner if it is not there; return those this call wrote.

        An earlier call of the same owner may have written some of the others.
        """
        ...


class Counters(Protocol):
    """The rows of the aggregates table, added to once for each part."""

    def add_once(self, parts: Sequence[Part]) -> AbstractSet[Place]:
        """Add all counters of the parts and mark each of them, in one transaction.

        The parts are of different units, and their marks and rows fit one transaction.

        Returns: the parts that were marked already; if there is one, nothing is added.

        Raises:
            CommitMissing: the ledger holds no such commit.
            RetryableError: also where a unique row speaks by another version's markers than its
                delta was resolved by; nothing is added.
        """
        ...

    def promoted(self, keys: Collection[AggregateKey]) -> Mapping[AggregateKey, Version]:
        """Return the replays' versions that live rows were promoted from; eventually consistent.

        A row that never was is left out.
        """
        ...

    def is_settled(self, part: Part) -> bool:
        """Tell whether the part is marked, strongly consistent: it will not be written again."""
        ...
