"""Which archive objects hold which client's events of an hour."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import orjson


@dataclass(frozen=True, slots=True)
class ArchivedObject:
    """One archive object of an hour, as its manifest row says."""

    key: str
    events: int
    size_bytes: int
    """Compressed."""
    input_hash: int
    """The sum of the events' 64-bit hashes, modulo 2^64."""
    clients: Mapping[str, int] | None
    """Events by client; None where the row lists none, because there are too many."""


@dataclass(frozen=True, slots=True)
class Source:
    """One client's share of an archive object."""

    key: str
    events: int
    size_bytes: int
    """Of the object, in proportion to the client's events: an estimate."""


@dataclass(frozen=True, slots=True)
class ClientHour:
    """All that an hour holds for one client."""

    client_id: str
    sources: tuple[Source, ...]
    """In order of their keys: the order of the events in the client's file."""

    @property
    def events(self) -> int:
        """How many events the file will hold."""
        return sum(source.events for source in self.sources)

    @property
    def size_bytes(self) -> int:
        """About how many compressed bytes they are."""
        return sum(source.size_bytes for source in self.sources)

    @property
    def digest(self) -> str:
        """32 hex digits that stand for the sources: equal digests mean equal files.

        An archive object is written once, so its key stands for its content.
        """
        named = [[source.key, source.events] for source in self.sources]
        return blake2b(orjson.dumps(named), digest_size=16).hexdigest()


def client_hours(objects: Iterable[ArchivedObject]) -> dict[str, ClientHour]:
    """Return the clients of an hour, in order of their ids.

    Raises:
        ValueError: an object does not say its clients; count them first.
    """
    shares: defaultdict[str, list[Source]] = defaultdict(list)
    for each in sorted(objects, key=lambda each: each.key):
        if each.clients is None:
            raise ValueError(f"the clients of {each.key} are not known")
        for client_id, events in each.clients.items():
            size_bytes = each.size_bytes * events // max(each.events, 1)
            shares[client_id].append(Source(each.key, events, size_bytes))
    return {
        client_id: ClientHour(client_id, tuple(shares[client_id])) for client_id in sorted(shares)
    }


def passes(clients: Sequence[ClientHour], spill_bytes: int) -> list[tuple[ClientHour, ...]]:
    """Return `clients` in groups whose events fit the spill; each group is one pass over them.

    A client that would not fit has a group of its own: alone it needs no spill.
    """
    groups: list[list[ClientHour]] = []
    room = 0
    for client in clients:
        if not groups or client.size_bytes > room:
            groups.append([])
            room = spill_bytes
        groups[-1].append(client)
        room -= client.size_bytes
    return [tuple(group) for group in groups]


def objects_of(clients: Iterable[ClientHour]) -> list[str]:
    """Return the keys that a pass over these clients reads, in order."""
    return sorted({source.key for client in clients for source in client.sources})
