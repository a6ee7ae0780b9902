"""The archive: rows of the manifests table, objects of the data bucket."""

from collections.abc import Iterator

from export.adapters.rows import archived_object
from export.domain.sources import ArchivedObject
from millrace.aws.manifests import ManifestsReader
from millrace.compression import lines_of
from millrace.ports import Objects


class ManifestedArchive:
    """`export.ports.Archive`."""

    def __init__(self, manifests: ManifestsReader, objects: Objects) -> None:
        self._manifests = manifests
        self._objects = objects

    def objects(self, hour: str) -> Iterator[ArchivedObject]:
        """Yield the objects that an hour has by its manifest rows."""
        return map(archived_object, self._manifests.archived(hour))

    def lines(self, key: str) -> Iterator[bytes]:
        """Return an object's lines; its compressed bytes are in memory meanwhile, not its text."""
        return lines_of(key, self._objects.get(key))
