"""What export needs of the outside; all may block, and raise RetryableError or ConfigError."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from export.domain.completeness import PipelineProgress
from export.domain.files import Exported, Place
from export.domain.sources import ArchivedObject
from millrace.errors import RetryableError


class UploadFailed(RetryableError):
    """A file or manifest could not be written now."""


class SpillFull(RetryableError):
    """The events of a pass take more room than was estimated: do with fewer clients."""


class Overtaken(UploadFailed):
    """Another export changed a file or a row since this one looked at it: begin again."""


@dataclass(frozen=True, slots=True)
class DirtyHour:
    """An hour that changed since it was exported; the token tells one change from the next."""

    hour: str
    token: str


@dataclass(frozen=True, slots=True)
class Bases:
    """The versions that a client's file and manifest had when they were looked at; None: absent."""

    file: str | None
    manifest: str | None


class DirtyHours(Protocol):
    """The hours that wait for an export."""

    def all(self) -> Iterator[DirtyHour]:
        """Yield them, the earliest first."""
        ...

    def clear(self, seen: DirtyHour) -> bool:
        """Take the hour off the list if it has not changed since; return whether it was taken."""
        ...


class Archive(Protocol):
    """The archive as export reads it; strongly consistent."""

    def objects(self, hour: str) -> Iterator[ArchivedObject]:
        """Yield the objects that an hour has by its manifest rows."""
        ...

    def lines(self, key: str) -> Iterator[bytes]:
        """Return an object's lines, each with its line end.

        The object is read whole before the first line: none is seen twice after a fault.

        Raises:
            ObjectMissing: there is no such object.
        """
        ...


class Exports(Protocol):
    """What was exported of each hour, client by client; strongly consistent."""

    def of(self, hour: str) -> Iterator[Exported]:
        """Yield the clients that an hour has files for, or was about to have."""
        ...

    def settle(self, hour: str, client_id: str, place: Place) -> Exported:
        """Return the client's row; if there is none yet, make one with this place."""
        ...

    def update(self, hour: str, seen: Exported, now: Exported) -> None:
        """Write what is exported now, over the revision that was seen.

        Raises:
            Overtaken: the row has another revision by now, and says something else.
        """
        ...


class ClientFiles(Protocol):
    """The clients' files and manifests."""

    def version(self, bucket: str, key: str) -> str | None:
        """Return the version of the object that is there now; None if there is none."""
        ...

    def write(
        self, place: Place, base: str | None, digest: str, chunks: Iterable[bytes]
    ) -> "Written":
        """Write a file of any size over the version `base` (None: there must be none).

        Holds a few parts of an upload at a time. A second writer of the same digest succeeds.

        Raises:
            Overtaken: something else is there by now.
        """
        ...

    def write_manifest(self, bucket: str, key: str, base: str | None, body: bytes) -> None:
        """Write a manifest over the version `base`; raises as `write`."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """What was written."""

    size_bytes: int
    sha256: str


class Spill(Protocol):
    """Room on disk for the events of a pass, by client; a context that gives the room back."""

    def add(self, client_id: str, text: bytes) -> None:
        """Keep whole lines behind the client's earlier ones.

        Raises:
            SpillFull: there is no room for them.
        """
        ...

    def texts(self, client_id: str) -> Iterator[bytes]:
        """Yield the client's lines in order, piece by piece; may be called by several threads."""
        ...

    def __enter__(self) -> "Spill":
        """Return itself."""
        ...

    def __exit__(self, *_: object) -> None:
        """Give the room back."""
        ...


class Progress(Protocol):
    """The pipeline in front of the archive."""

    def look(self) -> PipelineProgress:
        """Return what is on its way."""
        ...
