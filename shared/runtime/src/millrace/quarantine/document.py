"""A rejected record as a JSON object that can be changed, its numbers kept as they were written."""

import json
from typing import Any, Literal, NoReturn

import orjson

from millrace.errors import MillraceError
from millrace.event import UTF8_BOM

Document = dict[str, Any]
Encoding = Literal["latin-1", "cp1252"]
ENCODINGS: tuple[Encoding, ...] = ("latin-1", "cp1252")
_INTEGERS = range(-(2**63), 2**64)  # what JSON writers and the contract take as integers


class NotADocument(MillraceError):
    """The bytes are no JSON object: no rule can change them."""


class Written:
    """A number that no machine type holds exactly as it was written: `1.10`, 2^70."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        """Two are equal if they are written alike."""
        return isinstance(other, Written) and other.text == self.text

    def __hash__(self) -> int:
        """As equality says."""
        return hash(self.text)

    def __repr__(self) -> str:
        """The text."""
        return self.text


def read_document(data: bytes, encoding: Encoding | None = None) -> Document:
    """Return the JSON object in `data`.

    encoding: what the bytes are, if not UTF-8.

    Raises:
        NotADocument: there is none; with what the contract's own parser says.
    """
    try:
        text = data.removeprefix(UTF8_BOM).decode(encoding or "utf-8").strip()
        orjson.loads(text)  # the contract's parser: it refuses NaN and lone surrogates, too
        found = json.loads(
            text, parse_float=Written, parse_int=_integer, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError as err:
        raise NotADocument(f"not {encoding or 'UTF-8'}: {err}") from err
    except (ValueError, RecursionError) as err:
        raise NotADocument(f"not JSON: {err}") from err
    if not isinstance(found, dict):
        raise NotADocument("not a JSON object")
    return found


def write_document(document: Document) -> bytes:
    """Return the object as one line of JSON.

    Raises:
        NotADocument: it is nested too deep to be written.
    """
    try:
        return orjson.dumps(document, default=_fragment)
    except TypeError as err:
        raise NotADocument(f"it cannot be written: {err}") from err


def _integer(text: str) -> int | Written:
    # Python refuses to read integers of more than 4,300 digits; none of 21 or more fits.
    number = int(text) if len(text) < 21 else None
    return number if number is not None and number in _INTEGERS else Written(text)


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _fragment(value: object) -> orjson.Fragment:
    if isinstance(value, Written):
        return orjson.Fragment(value.text)
    raise TypeError(f"{type(value).__name__} is not JSON")
