"""Which rows go into which transaction.

The rules here are frozen: a commit marks its parts by number (`agg_<p>`), so an attempt after a
release must cut the same parts as the attempt before it. Golden tests hold them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from urllib.parse import quote

from aggregate.domain.deltas import Delta
from millrace.aggregates import AggregateKey

MOST_COUNTERS = 99
"""TransactWriteItems takes 100 items and 4 MB, one of the items is the mark on the commit, and a
row has less than 6 KB (key below 3 KB, five ids of 128 characters below 3 KB).
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html"""


@dataclass(frozen=True, slots=True)
class Counter:
    """A row and what is added to it."""

    key: AggregateKey
    delta: Delta


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
