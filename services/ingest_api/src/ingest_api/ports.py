"""What the front door needs of the outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest_api.domain.events import Record


@dataclass(frozen=True, slots=True)
class PutResult:
    """What became of the records."""

    failed: Mapping[int, str]
    """By index, the last error code of each record that is not known to be on the stream."""
    retried: int
    """Records put again after a failure, each time counted."""


class Stream(Protocol):
    """The stream to put records on."""

    def put(self, records: Sequence[Record], within_s: float) -> PutResult:
        """Put the records, and again those that failed, for about `within_s` seconds.

        May block a little longer than that, for the one call that is then on its way. A record
        that failed may be on the stream all the same (its answer was lost): putting it again with
        the same bytes is a duplicate, which ingest drops.

        Raises:
            ConfigError: a missing right or stream.
        """
        ...
