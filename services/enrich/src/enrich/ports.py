"""What enrich alone needs of the outside."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from enrich.domain import AssignmentRow, ExperimentMetadata
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
    """The experiments there are."""

    def all(self) -> ExperimentMetadata:
        """Return every experiment's metadata by id; may be as old as the adapter's cache.

        Raises:
            ConfigError: a missing right or table, or more experiments than the stated bound;
            RetryableError: the table cannot be reached.
        """
        ...


class Assignments(Protocol):
    """Which entity is in which experiment."""

    def rows(
        self, entities: Sequence[str], experiments: Collection[str]
    ) -> Iterable[AssignmentRow]:
        """Return the rows of these entities in these experiments; absent ones are left out.

        All or an error: an answer that is short because of throttling would be written down
        for good. May block.

        Raises:
            ConfigError: a missing right or table; RetryableError: some keys stayed unread.
        """
        ...
