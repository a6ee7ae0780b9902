"""What enrich writes on the object itself, so that every later stage computes from the same.

The values travel as S3 metadata: the object stays plain NDJSON for its readers. `archive` reads
the same three names.
"""

from collections.abc import Mapping
from dataclasses import dataclass

DEFS_VERSION = "defs-version"
ARCHIVE_MAX_EVENTS = "archive-max-events"
ARCHIVE_MAX_BYTES = "archive-max-bytes"


@dataclass(frozen=True, slots=True)
class Stamp:
    """The metric definitions and the archive's cut that hold for one enriched object."""

    defs_version: str
    archive_max_events: int
    archive_max_bytes: int

    def to_metadata(self) -> Mapping[str, str]:
        """Return the object's metadata; names are lower case because S3 makes them so."""
        return {
            DEFS_VERSION: self.defs_version,
            ARCHIVE_MAX_EVENTS: str(self.archive_max_events),
            ARCHIVE_MAX_BYTES: str(self.archive_max_bytes),
        }
