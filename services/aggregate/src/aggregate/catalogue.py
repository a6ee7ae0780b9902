"""Metric definitions by version: immutable, so read once and kept."""

from millrace.definitions import Definitions, parse
from millrace.errors import ConfigError, ObjectMissing
from millrace.keys import definitions_key
from millrace.ports import Objects

KEPT = 16  # versions; one is in use but around a deployment


class DefinitionsCatalogue:
    """The definitions that enriched objects name."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._kept: dict[str, Definitions] = {}

    def load(self, version: str) -> Definitions:
        """Return the definitions of a version.

        Raises:
            ConfigError: they are missing, are not what their name says, or are not valid.
            RetryableError: they cannot be read now.
        """
        if version not in self._kept:
            loaded = self._read(version)
            while len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[version] = loaded
        return self._kept[version]

    def _read(self, version: str) -> Definitions:
        key = definitions_key(version)
        try:
            definitions = parse(self._objects.get(key), key)
        except ObjectMissing as err:
            raise ConfigError(
                f"metric definitions {key} are missing, which enrich puts there at its start; "
                "put the file of that hash back"
            ) from err
        if definitions.version != version:
            raise ConfigError(f"{key} holds the definitions {definitions.version}; put it right")
        return definitions
