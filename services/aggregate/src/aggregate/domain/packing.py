"""Which rows go into which transaction.

How a unit is cut into parts is frozen: parts are marked by number (`agg_<p>`), so an attempt
after a release must cut the same parts as the attempt before it. Golden tests hold it. How parts
of several units share a transaction is free, since each part has its own mark.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
from urllib.parse import quote

from aggregate.domain.units import Unit
from millrace.aggregates import AggregateKey
from millrace.counting.deltas import Delta

MOST_ITEMS = 100
MOST_COUNTERS = MOST_ITEMS - 1
"""TransactWriteItems takes 100 items and 4 MB, one of the items is the mark of the part, and a
row has less than 6 KB (key below 3 KB, five ids of 128 characters below 3 KB).
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html"""


@dataclass(frozen=True, slots=True)
class Counter:
    """A row and what is added to it."""

    key: AggregateKey
    delta: Delta


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a unit's counters, written together with the mark that says so, or not at all."""

    unit: Unit
    number: int
    counters: tuple[Counter, ...]
    defs_version: str

    @property
    def place(self) -> "Place":
        """What tells this part from every other."""
        return self.unit, self.number

    @property
    def mark(self) -> str:
        """The attribute that marks this part as written."""
        return f"agg_{self.number}"


Place = tuple[Unit, int]


@dataclass(frozen=True, slots=True)
class Sum:
    """A row and what several parts add to it."""

    key: AggregateKey
    delta: Delta
    defs_versions: frozenset[str]


def sums_of(parts: Iterable[Part]) -> list[Sum]:
    """Return each row that the parts touch, once."""
    sums: dict[AggregateKey, Sum] = {}
    for part in parts:
        for counter in part.counters:
            there = sums.get(counter.key)
            delta = there.delta.plus(counter.delta) if there else counter.delta
            versions = there.defs_versions if there else frozenset[str]()
            sums[counter.key] = Sum(counter.key, delta, versions | {part.defs_version})
    return list(sums.values())


@dataclass(slots=True)
class _Bundle:
    parts: list[Part] = field(default_factory=list)
    units: set[Unit] = field(default_factory=set)
    keys: set[AggregateKey] = field(default_factory=set)

    def takes(self, part: Part, keys: set[AggregateKey]) -> bool:
        """Tell whether the part fits; one unit's marks are one item, which may be there once."""
        if part.unit in self.units:
            return False
        return len(self.units) + 1 + len(self.keys | keys) <= MOST_ITEMS

    def add(self, part: Part, keys: set[AggregateKey]) -> None:
        self.parts.append(part)
        self.units.add(part.unit)
        self.keys |= keys


def bundles_of(parts: Iterable[Part]) -> list[Sequence[Part]]:
    """Return the parts in bundles that fit one transaction each: their marks and their rows.

    Parts that touch the same rows share the cost of them. Each part goes into the first bundle
    that has room.
    """
    bundles: list[_Bundle] = []
    for part in parts:
        keys = {counter.key for counter in part.counters}
        bundle = next((each for each in bundles if each.takes(part, keys)), None)
        if bundle is None:
            bundle = _Bundle()
            bundles.append(bundle)
        bundle.add(part, keys)
    return [bundle.parts for bundle in bundles]


def parts_of(deltas: Mapping[AggregateKey, Delta]) -> list[tuple[Counter, ...]]:
    """Return the fewest parts of at most MOST_COUNTERS, each counter in one of them.

    Parts are runs of equal length (give or take one) of the counters in order of their keys'
    hashes, so they depend on the keys alone, never on their order or on the deltas.
    """
    counters = [Counter(key, deltas[key]) for key in sorted(deltas, key=_digest)]
    parts = -(-len(counters) // MOST_COUNTERS)
    bounds = [part * len(counters) // parts for part in range(parts + 1)] if parts else []
    return [tuple(counters[start:end]) for start, end in pairwise(bounds)]


def _digest(key: AggregateKey) -> bytes:
    # Not `encode_id`: how keys are written may change, this may not.
    ids = (quote(each, safe="") for each in key.scope.ids)
    scope = "|".join((key.scope.dimension.value, *ids))
    text = f"{scope}|{key.window.label}|{key.version}|{key.metric}"
    return blake2b(text.encode(), digest_size=16, person=b"millrace-aggpart").digest()
