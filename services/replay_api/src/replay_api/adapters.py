"""The deployed metric definitions: an object in the data bucket."""

from millrace import definitions
from millrace.ports import Objects
from millrace.replay.planning import MetricDefinitions


class DeployedMetrics:
    """Reads them once: the key is their content, so what it names never changes."""

    def __init__(self, objects: Objects, key: str) -> None:
        self._objects = objects
        self._key = key
        self._read: MetricDefinitions | None = None

    def __call__(self) -> MetricDefinitions:
        """Return them. May block.

        Raises:
            ObjectMissing, ConfigError: there are none, or they are not valid.
        """
        if self._read is None:
            body = self._objects.get(self._key)
            self._read = MetricDefinitions(definitions.parse(body, self._key), body)
        return self._read
