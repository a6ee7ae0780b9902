"""Stable identity: the same event has the same id on every machine and release.

Canonical JSON, the rules (golden tests hold them):
- the event as parsed, without `correlation_id`, keys sorted by code point at every depth;
- no white space; strings as UTF-8, not normalised, escaped only where JSON demands it;
- integers from -2^63 to 2^64-1 as integers; every other number as an IEEE 754 double in its
  shortest form that reads back equal, with `.0` if whole (so `1` and `1.0` differ);
- a key given twice: the last one counts.
"""

from collections.abc import Mapping
from hashlib import blake2b

import orjson

IDENTITY_EXEMPT = "correlation_id"


def canonical_json(event: Mapping[str, object]) -> bytes:
    """Return the bytes that identify `event` (a parsed JSON object)."""
    kept = {name: value for name, value in event.items() if name != IDENTITY_EXEMPT}
    return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)


def content_event_id(canonical: bytes) -> str:
    """Return the id of an event that brings neither id nor idempotency key: 32 hex digits."""
    return blake2b(canonical, digest_size=16, person=b"millrace-content").hexdigest()


def keyed_event_id(source: str, idempotency_key: str) -> str:
    """Return the id that `idempotency_key` gives an event of `source`: 32 hex digits."""
    return _digest(b"millrace-idemkey", 16, source, idempotency_key).hex()


def gate_key(source: str, event_id: str) -> bytes:
    """Return the 16 bytes under which the gate knows (source, event_id)."""
    return _digest(b"millrace-gatekey", 16, source, event_id)


def content_hash(canonical: bytes) -> bytes:
    """Return 8 bytes that tell two contents under one id apart."""
    return blake2b(canonical, digest_size=8, person=b"millrace-conthsh").digest()


def event_hash64(source: str, event_id: str) -> int:
    """Return the event's 64-bit share of an `input_hash` (summed, so order does not matter)."""
    return int.from_bytes(_digest(b"millrace-inputsh", 8, source, event_id), "big")


def _digest(person: bytes, size: int, first: str, second: str) -> bytes:
    # The length in front keeps ("ab", "c") and ("a", "bc") apart.
    head = first.encode()
    data = len(head).to_bytes(4, "big") + head + second.encode()
    return blake2b(data, digest_size=size, person=person).digest()
