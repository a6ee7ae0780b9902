"""How far the processor has come with a replay, whatever SQS delivered twice.

Enrich lists each object it makes of replayed messages with a short hash of each event's place;
aggregate marks the object once all of its events are counted. A place counts once, in however
many objects it is, so the numbers are exact under any redelivery.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

_HASH_BYTES = 8


@dataclass(frozen=True, slots=True)
class ProcessedObject:
    """Some events that enrich read together."""

    object_id: str
    key: str
    places: frozenset[bytes]
    """`place_hash` of each."""
    counted: bool
    """Aggregate has counted every one of them (or they were counted before)."""


@dataclass(frozen=True, slots=True)
class SkippedEvent:
    """A message that the processor could do nothing with."""

    place: str
    event_id: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Distinct events, by how far they have come."""

    enriched: int
    counted: int
    skipped: int


def place_hash(place: str) -> bytes:
    """Return 8 bytes for a place: two of 10 million collide with a chance of 1 in 400,000."""
    return blake2b(place.encode(), digest_size=_HASH_BYTES, person=b"millrace-rplplac").digest()


def joined(hashes: Iterable[bytes]) -> bytes:
    """Return the hashes as one binary, sorted."""
    return b"".join(sorted(hashes))


def parted(binary: bytes) -> frozenset[bytes]:
    """Return the hashes in a binary that `joined` wrote."""
    starts = range(0, len(binary), _HASH_BYTES)
    return frozenset(binary[at : at + _HASH_BYTES] for at in starts)


def progress_of(objects: Iterable[ProcessedObject], skipped: Iterable[SkippedEvent]) -> Progress:
    """Return how many distinct events are enriched, counted and skipped."""
    enriched: set[bytes] = set()
    counted: set[bytes] = set()
    for each in objects:
        enriched |= each.places
        if each.counted:
            counted |= each.places
    left_out = {place_hash(each.place) for each in skipped} - enriched
    return Progress(len(enriched), len(counted), len(left_out))
