"""What enrich writes on the object itself, so that every later stage computes from the same.

The values travel as S3 metadata: the object stays plain NDJSON for its readers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from millrace.archive_layout import ArchiveLayout

DEFS_VERSION = "defs-version"


@dataclass(frozen=True, slots=True)
class Stamp:
    """The metric definitions and the archive's layout that hold for one enriched object."""

    defs_version: str
    layout: ArchiveLayout

    def to_metadata(self) -> Mapping[str, str]:
        """Return the object's metadata; names are lower case because S3 makes them so."""
        return {DEFS_VERSION: self.defs_version} | self.layout.to_metadata()
