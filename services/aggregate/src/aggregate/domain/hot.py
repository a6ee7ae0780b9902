"""Scopes that so many references touch that one row of theirs would be fought over."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from hashlib import blake2b

from millrace.aggregates import Scope


@dataclass(frozen=True, slots=True)
class HotScopes:
    """Spreads the rows of the listed scopes over `shards` items each.

    A transaction that meets another on one item is refused, so an item takes about one at a time.
    Any shard is as right as another, since readers add them up: the list and the number may
    change between two attempts at one reference.
    """

    scopes: AbstractSet[Scope] = frozenset()
    shards: int = 1

    def shard_of(self, scope: Scope, unit_id: str) -> int | None:
        """Return the shard that a unit adds to; None for a scope that is not hot."""
        if scope not in self.scopes:
            return None
        digest = blake2b(unit_id.encode(), digest_size=4).digest()
        return int.from_bytes(digest, "big") % self.shards
