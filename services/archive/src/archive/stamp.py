"""The layout that enrich stamped on an object, as S3 metadata.

Not a setting of this service: see `millrace.archive_layout`.
"""

from collections.abc import Mapping

from millrace.archive_layout import ArchiveLayout
from millrace.errors import MillraceError


class BadStamp(MillraceError):
    """An enriched object without a usable layout; no retry can mend that."""


def layout_of(key: str, metadata: Mapping[str, str]) -> ArchiveLayout:
    """Return the layout in the metadata of the object `key`.

    Raises:
        BadStamp: a value is missing or not one that enrich would write.
    """
    try:
        return ArchiveLayout.from_metadata(metadata)
    except ValueError as err:
        raise BadStamp(
            f"object {key}: metadata {err}; only enrich may write enriched objects"
        ) from err
