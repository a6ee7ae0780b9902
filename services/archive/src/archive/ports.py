"""What archive alone needs of the outside."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from archive.domain import ManifestRow
from millrace.ports import Objects


class StampedObjects(Objects, Protocol):
    """Objects that are read together with their metadata."""

    def get_stamped(self, key: str) -> tuple[bytes, Mapping[str, str]]:
        """Return the object's bytes and the metadata that it was written with.

        Raises:
            ObjectMissing: there is no such object; RetryableError, ConfigError as `Objects`.
        """
        ...


class Manifests(Protocol):
    """Archive objects by hour."""

    def put(self, rows: Sequence[ManifestRow]) -> None:
        """Write the rows, over earlier ones of the same objects; all are there on return.

        May block.

        Raises:
            ConfigError: a missing right or table; RetryableError: some rows stayed unwritten.
        """
        ...


class DirtyHours(Protocol):
    """Hours whose archive changed since they were exported."""

    def touch(self, hours: Iterable[str]) -> None:
        """Note, each time as something new, that the hours have rows that no export may have read.

        May block.

        Raises:
            ConfigError: a missing right or table; RetryableError: some hours may not be noted.
        """
        ...
