"""The cut that enrich stamped on an object, as S3 metadata.

Not a setting of this service: were the settings changed between two attempts at one commit, part
`n` of the first would stand for other events than part `n` of the second.
"""

from collections.abc import Mapping

from archive.domain import Cut
from millrace.errors import MillraceError

MAX_EVENTS = "archive-max-events"
MAX_BYTES = "archive-max-bytes"


class BadStamp(MillraceError):
    """An enriched object without a usable cut; no retry can mend that."""


def cut_of(key: str, metadata: Mapping[str, str]) -> Cut:
    """Return the cut in the metadata of the object `key`.

    Raises:
        BadStamp: a value is missing or not a positive whole number.
    """
    return Cut(_positive(key, metadata, MAX_EVENTS), _positive(key, metadata, MAX_BYTES))


def _positive(key: str, metadata: Mapping[str, str], name: str) -> int:
    value = metadata.get(name, "")
    if not (value.isascii() and value.isdecimal() and int(value) > 0):
        raise BadStamp(
            f"object {key}: metadata `{name}` is {value!r}, not a positive whole number; "
            "only enrich may write enriched objects"
        )
    return int(value)
