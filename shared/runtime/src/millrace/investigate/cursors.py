"""Where the next page of an answer begins, as text that is handed back unread."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import orjson

from millrace.investigate.errors import InvalidQuestion

_VERSION = 1


def fingerprint_of(*asked: object) -> str:
    """Return what tells one question from another: a cursor is good for its own alone."""
    return blake2b(orjson.dumps(asked), digest_size=8).hexdigest()


def write_cursor(fingerprint: str, place: Sequence[object]) -> str:
    """Return the cursor of a place in the answer to a question."""
    fields = [_VERSION, fingerprint, *place]
    return urlsafe_b64encode(orjson.dumps(fields)).decode().rstrip("=")


def read_cursor(cursor: str, fingerprint: str, types: Sequence[type]) -> list[Any]:
    """Return the place that a cursor names: as many values as `types`, of these types.

    Raises:
        InvalidQuestion: it is none of ours, or of another question.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        fields: Any = orjson.loads(urlsafe_b64decode(padded.encode("ascii")))
        version, told = fields[:2]
        place: list[Any] = fields[2:]
    except (ValueError, TypeError, KeyError) as err:
        raise malformed_cursor() from err
    if [type(each) for each in place] != list(types):
        raise malformed_cursor()
    if (version, told) != (_VERSION, fingerprint):
        raise InvalidQuestion("cursor", "it is of another question; ask again without one")
    return place


def malformed_cursor() -> InvalidQuestion:
    """Return the error of a cursor that no answer gave out."""
    return InvalidQuestion(
        "cursor", "it is malformed; pass it on exactly as the answer before gave it"
    )
