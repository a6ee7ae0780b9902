"""What enrich alone needs of the outside."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from millrace.assignments import EntityAssignments, Metadata
from millrace.ports import Objects


class StampedObjects(Objects, Protocol):
    """Objects whose metadata can be read back."""

    def metadata_of(self, key: str) -> Mapping[str, str]:
        """Return the metadata that the object was written with.

        Raises:
            ObjectMissing: there is no such object; RetryableError, ConfigError as `Objects`.
        """
        ...


class Experiments(Protocol):
    """What is known of experiments."""

    def metadata_of(self, experiments: Sequence[str]) -> Mapping[str, Metadata]:
        """Return the metadata of those of `experiments` (distinct) that are known.

        May block; may be as old as the adapter's cache.

        Raises:
            ConfigError: a missing right or table; RetryableError: some keys stayed unread.
        """
        ...


class Assignments(Protocol):
    """Which entity is in which experiments."""

    def of(self, entities: Sequence[str]) -> Mapping[str, EntityAssignments]:
        """Return the assignments of those of `entities` (distinct) that have any.

        All or an error: an answer that is short because of throttling would be written down
        for good. May block; may be as old as the adapter's cache.

        Raises:
            ConfigError: a missing right or table; RetryableError: some keys stayed unread.
        """
        ...
