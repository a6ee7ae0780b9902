"""Telling an archive object's events apart by client, and checking that none is missing."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

import orjson

from export.domain.sources import ArchivedObject, ClientHour
from millrace.errors import MillraceError
from millrace.identity import event_hash64

HASH_SPACE = 2**64


class ArchiveTorn(MillraceError):
    """An archive object that does not hold what its manifest row says; no file is made of it."""


@dataclass(frozen=True, slots=True)
class Share:
    """One client's events of one object."""

    text: bytes
    """The lines as they are archived, each with its line end."""
    events: int
    input_hash: int
    """The sum of the events' hashes, not yet modulo 2^64."""


@dataclass(frozen=True, slots=True)
class Routed:
    """An object's events by client, those of the wanted clients with their text."""

    shares: Mapping[str, Share]
    events: Mapping[str, int]
    """Of every client."""


def route(found: ArchivedObject, lines: Iterable[bytes], wanted: Set[str]) -> Routed:
    """Return the events in `lines` (each with its line end) by client.

    Raises:
        ArchiveTorn: their number or their hash is not the one in the manifest.
    """
    texts: defaultdict[str, list[bytes]] = defaultdict(list)
    hashes: Counter[str] = Counter()
    events: Counter[str] = Counter()
    for line in lines:
        row = orjson.loads(line)
        client_id = row["client_id"]
        events[client_id] += 1
        hashes[client_id] += event_hash64(row["source"], row["event_id"])
        if client_id in wanted:
            texts[client_id].append(line)
    _check(found, events, sum(hashes.values()) % HASH_SPACE)
    return Routed(
        {name: Share(b"".join(text), events[name], hashes[name]) for name, text in texts.items()},
        events,
    )


def _check(found: ArchivedObject, events: Mapping[str, int], input_hash: int) -> None:
    if sum(events.values()) != found.events or input_hash != found.input_hash:
        raise ArchiveTorn(
            f"object {found.key} holds {sum(events.values())} events with hash {input_hash:016x}; "
            f"its manifest says {found.events} with hash {found.input_hash:016x}"
        )


class Tally:
    """Events and hashes by client, as they pass."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[int, int]] = {}

    def add(self, client_id: str, share: Share) -> None:
        """Count a share."""
        events, input_hash = self._sums.get(client_id, (0, 0))
        self._sums[client_id] = events + share.events, input_hash + share.input_hash

    def of(self, wanted: ClientHour) -> tuple[int, str]:
        """Return the client's events and the sum of their hashes, as manifests write it.

        Raises:
            ArchiveTorn: there are not as many events as the sources should have.
        """
        events, input_hash = self._sums.get(wanted.client_id, (0, 0))
        if events != wanted.events:
            raise ArchiveTorn(
                f"the archive holds {events} events of {wanted.client_id}; "
                f"its manifests say {wanted.events}"
            )
        return events, f"{input_hash % HASH_SPACE:016x}"
