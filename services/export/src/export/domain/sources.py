"""Which archive objects hold which client's events of an hour."""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b


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


class HourIndex:
    """The objects of an hour and each client's events in them: eight bytes a client and object."""

    def __init__(self) -> None:
        self.objects: list[ArchivedObject] = []
        """In order of their keys, without their clients."""
        self._shares: dict[str, tuple[array[int], array[int]]] = {}

    def add(self, found: ArchivedObject) -> None:
        """Take in the next object, in order of the keys.

        Raises:
            ValueError: it does not say its clients; count them first.
        """
        if found.clients is None:
            raise ValueError(f"the clients of {found.key} are not known")
        number = len(self.objects)
        self.objects.append(replace(found, clients=None))
        for client_id, events in found.clients.items():
            if client_id not in self._shares:
                self._shares[client_id] = array("I"), array("I")
            numbers, counts = self._shares[client_id]
            numbers.append(number)
            counts.append(events)

    def clients(self) -> list["ClientHour"]:
        """Return the clients of the hour, in order of their ids."""
        return [ClientHour(client_id, self) for client_id in sorted(self._shares)]

    def shares(self, client_id: str) -> Iterator[tuple[ArchivedObject, int]]:
        """Yield the objects that hold events of a client, and how many."""
        numbers, counts = self._shares[client_id]
        return ((self.objects[n], events) for n, events in zip(numbers, counts, strict=True))


class ClientHour:
    """All that an hour holds for one client; the index must be whole by now."""

    events: int
    """How many events the file will hold."""
    size_bytes: int
    """About how many compressed bytes they are: each object's, in proportion."""
    digest: str
    """32 hex digits that stand for the sources: equal digests mean equal files.

    An archive object is written once, so its key stands for its content.
    """

    def __init__(self, client_id: str, index: HourIndex) -> None:
        self.client_id = client_id
        self._index = index
        digest = blake2b(digest_size=16)
        self.events = self.size_bytes = 0
        for found, events in index.shares(client_id):
            digest.update(f"{found.key}\n{events}\n".encode())
            self.events += events
            self.size_bytes += found.size_bytes * events // max(found.events, 1)
        self.digest = digest.hexdigest()

    def sources(self) -> Iterator[Source]:
        """Yield the client's shares in order of their keys: the order of events in the file."""
        return (Source(found.key, events) for found, events in self._index.shares(self.client_id))

    def objects(self) -> Iterator[ArchivedObject]:
        """Yield the objects that hold events of the client, in order of their keys."""
        return (found for found, _ in self._index.shares(self.client_id))


def passes(clients: Iterable[ClientHour], spill_bytes: int) -> list[tuple[ClientHour, ...]]:
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


def objects_of(clients: Iterable[ClientHour]) -> list[ArchivedObject]:
    """Return the objects that a pass over these clients reads, in order of their keys."""
    found = {each.key: each for client in clients for each in client.objects()}
    return [found[key] for key in sorted(found)]
