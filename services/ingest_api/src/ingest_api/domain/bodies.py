"""From a request's bytes to the bytes of each event."""

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ingest_api.domain.refusals import Refusal, RefusalKind

GZIP_NAMES = frozenset({"gzip", "x-gzip"})  # RFC 9110, section 8.4.1.3: the same
_UTF8_BOM = b"\xef\xbb\xbf"
_GZIP_WINDOW = 31  # zlib.decompressobj: 15 bits of window, 16 more for a gzip header
_SPACE = re.compile(r"[ \t\r\n]*")  # RFC 8259's white space, no more
# Only where a value ends matters here, so numbers are left alone: bytes must reach the stream as
# they came, and a parsed one may have lost digits.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


@dataclass(frozen=True, slots=True)
class Items:
    """The bytes of each event; an array of one is an array."""

    events: tuple[bytes, ...]
    in_array: bool


def decoded(body: bytes, content_encoding: str, max_bytes: int) -> bytes:
    """Return the body without its content encoding, never more than `max_bytes` of it in memory.

    content_encoding: in lower case, empty if there is none.

    Raises:
        Refusal: an encoding other than gzip, bad gzip, or too many bytes.
    """
    if content_encoding in GZIP_NAMES:
        content = _decompressed(body, max_bytes)
    elif content_encoding in ("", "identity"):
        content = body
    else:
        raise Refusal(
            RefusalKind.UNSUPPORTED_ENCODING,
            f"content-encoding {content_encoding[:64]!r} is not read here; send gzip, or none",
        )
    if len(content) > max_bytes:
        raise _too_large(max_bytes)
    return content


def split(body: bytes, max_events: int) -> Items:
    """Return the bytes of each event, as they came: of the elements of an array, or of the one.

    Raises:
        Refusal: not UTF-8, not JSON, no event at all, or more than `max_events`.
    """
    try:
        text = body.removeprefix(_UTF8_BOM).decode("utf-8")
    except UnicodeDecodeError as err:
        raise _unreadable(f"the body is not UTF-8: {err}") from err
    start = _after_space(text, 0)
    if start == len(text):
        raise _unreadable("the body is empty")
    in_array = text[start] == "["
    try:
        values = _elements(text, start) if in_array else _lone_value(text, start)
        events = tuple(value.encode() for value in islice(values, max_events + 1))
    except (json.JSONDecodeError, RecursionError) as err:
        raise _unreadable(f"the body is not JSON: {err}") from err
    if not events:
        raise _unreadable("the array is empty; send at least one event")
    if len(events) > max_events:
        raise Refusal(
            RefusalKind.TOO_LARGE, f"the array has more than {max_events} events; send several"
        )
    return Items(events, in_array)


def _lone_value(text: str, start: int) -> Iterator[str]:
    _, end = _DECODER.raw_decode(text, start)
    _expect_end(text, end)
    yield text[start:end]


def _elements(text: str, start: int) -> Iterator[str]:
    at = _after_space(text, start + 1)
    if text[at : at + 1] == "]":
        _expect_end(text, at + 1)
        return
    while True:
        _, end = _DECODER.raw_decode(text, at)
        yield text[at:end]
        at = _after_space(text, end)
        match text[at : at + 1]:
            case ",":
                at = _after_space(text, at + 1)
            case "]":
                _expect_end(text, at + 1)
                return
            case _:
                raise json.JSONDecodeError("expected ',' or ']'", text, at)


def _expect_end(text: str, at: int) -> None:
    end = _after_space(text, at)
    if end != len(text):
        raise json.JSONDecodeError("expected the end", text, end)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _decompressed(body: bytes, max_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while body or not parts:
        stream = zlib.decompressobj(_GZIP_WINDOW)
        try:
            part = stream.decompress(body, max_bytes + 1 - size)
        except zlib.error as err:
            raise _unreadable(f"the body is not gzip, as content-encoding says: {err}") from err
        size += len(part)
        if size > max_bytes:
            raise _too_large(max_bytes)
        if not stream.eof:
            raise _unreadable("the gzip data ends before its end")
        parts.append(part)
        body = stream.unused_data
    return b"".join(parts)


def _unreadable(detail: str) -> Refusal:
    return Refusal(RefusalKind.UNREADABLE, detail)


def _too_large(max_bytes: int) -> Refusal:
    return Refusal(RefusalKind.TOO_LARGE, f"the body has more than {max_bytes} bytes, decoded")
