"""Reads rows from NDJSON, a JSON array or CSV, plain or gzip, one at a time.

A row keeps its bytes as they came where the format has such bytes (NDJSON, JSON array), so that
nothing is lost between the file and the stream (integers beyond 64 bits, key order, white space).
"""

import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, cast

import orjson

from millrace_cli.errors import CommandError, ExitCode

GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952, section 2.3.1
UTF8_BOM = b"\xef\xbb\xbf"
STDIN = "-"
_SNIFFED_BYTES = 4096
_JSON_SPACE = b" \t\r\n"


class RowFormat(StrEnum):
    """How rows are laid out in a file."""

    AUTO = "auto"
    NDJSON = "ndjson"
    JSON = "json"
    CSV = "csv"
    LINES = "lines"
    """Each line is one record, sent as it is, whatever it holds."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it stands, its fields, and its bytes."""

    line: int
    """Counted from 1; the line on which the row starts."""
    fields: Mapping[str, object]
    data: bytes


class BadRow(CommandError):
    """A row that cannot be read; `line` says where."""

    def __init__(self, line: int, problem: str, remedy: str) -> None:
        super().__init__(f"line {line}: {problem}", remedy)
        self.line = line


@contextmanager
def opened(source: str) -> Iterator[IO[bytes]]:
    """Open a path, or standard input for `-`, and decompress it if its first bytes are gzip's.

    Raises:
        CommandError: there is no such file, it may not be read, or it is a folder.
    """
    if source == STDIN:
        stdin: Any = sys.stdin.buffer
        # Another buffer would wait until it is full; a substitute for stdin may have none.
        yield _decompressed(stdin if hasattr(stdin, "peek") else io.BufferedReader(stdin))
        return
    try:
        file = Path(source).open("rb")  # noqa: SIM115 - closed below, its errors are not the body's
    except OSError as err:
        raise CommandError(
            f"cannot read {source}: {(err.strerror or str(err)).lower()}",
            "check the path, or give - to read standard input",
            ExitCode.USAGE,
        ) from err
    with file:
        yield _decompressed(file)


def read_rows(
    stream: IO[bytes], name: str, row_format: RowFormat = RowFormat.AUTO
) -> Iterator[Row]:
    """Yield the rows of `stream`, lazily for NDJSON and CSV; blank lines are no rows.

    Raises:
        BadRow: names the first line that cannot be read.
        CommandError: the format cannot be told, or the compressed data is damaged.
    """
    buffered = cast("io.BufferedReader", stream)
    try:
        head = buffered.peek(_SNIFFED_BYTES)[:_SNIFFED_BYTES]
        chosen = _detected(head, name) if row_format is RowFormat.AUTO else row_format
        readers = {
            RowFormat.NDJSON: _ndjson,
            RowFormat.JSON: _array,
            RowFormat.CSV: _csv,
            RowFormat.LINES: _lines,
        }
        yield from readers[chosen](buffered)
    except (EOFError, gzip.BadGzipFile, zlib.error) as err:
        raise CommandError(
            f"{name}: the gzip data is damaged or cut off ({err})",
            "check it with `gzip -t` and copy it again",
        ) from err


def _decompressed(stream: IO[bytes]) -> IO[bytes]:
    buffered = cast("io.BufferedReader", stream)
    if not buffered.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC):
        return buffered
    return io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=buffered, mode="rb")))


def _detected(head: bytes, name: str) -> RowFormat:
    stem = name.lower().removesuffix(".gz")
    first = head.removeprefix(UTF8_BOM).lstrip(_JSON_SPACE)[:1]
    if stem.endswith(".csv"):
        return RowFormat.CSV
    if first == b"[":
        return RowFormat.JSON
    if first in {b"{", b""} or stem.endswith((".ndjson", ".jsonl", ".json")):
        return RowFormat.NDJSON
    raise CommandError(
        f"cannot tell the format of {'standard input' if name == STDIN else name}",
        "say --format ndjson, json or csv",
        ExitCode.USAGE,
    )


def _ndjson(stream: IO[bytes]) -> Iterator[Row]:
    for number, line in enumerate(stream, start=1):
        data = (line.removeprefix(UTF8_BOM) if number == 1 else line).rstrip(b"\r\n")
        if not data.strip(_JSON_SPACE):
            continue
        yield Row(number, _object(_loaded(data, number), number), data)


def _lines(stream: IO[bytes]) -> Iterator[Row]:
    for number, line in enumerate(stream, start=1):
        data = line.rstrip(b"\r\n")
        if data:
            yield row_of_line(data, number)


def row_of_line(data: bytes, line: int) -> Row:
    """Return the row of a record that may be no event: then it has no fields."""
    try:
        fields = orjson.loads(data)
    except orjson.JSONDecodeError:
        fields = None
    return Row(line, fields if isinstance(fields, dict) else {}, data)


def _array(stream: IO[bytes]) -> Iterator[Row]:
    # Read whole: the standard library's decoder tells where each element ends, so that elements
    # keep their bytes, but only in a text that is there.
    text = _text(stream.read().removeprefix(UTF8_BOM))
    decoder = json.JSONDecoder()
    line, counted = 1, 0
    at = _after_space(text, _after_space(text, 0) + 1)  # past the opening bracket
    mark = text[at : at + 1]
    while mark != "]":
        line, counted = line + text.count("\n", counted, at), at
        try:
            _, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as err:
            raise _bad_element(text, err.pos, err.msg) from err
        data = text[at:end].encode()
        yield Row(line, _object(_loaded(data, line), line), data)
        at = _after_space(text, end)
        mark = text[at : at + 1]
        if mark not in {",", "]"} or not mark:
            raise _bad_element(text, at, "expected `,` or `]` after an element")
        at = _after_space(text, at + 1) if mark == "," else at
    if _after_space(text, at + 1) < len(text):
        raise _bad_element(text, at + 1, "more text after the array's end")


def _csv(stream: IO[bytes]) -> Iterator[Row]:
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    reader = csv.reader(text, strict=True)
    try:
        header = next(reader, [])
        started = reader.line_num + 1
        for cells in reader:
            if cells:
                yield _csv_row(started, header, cells)
            started = reader.line_num + 1
    except csv.Error as err:
        raise BadRow(reader.line_num, f"not CSV ({err})", "correct or remove that line") from err
    except UnicodeDecodeError as err:
        raise BadRow(
            reader.line_num + 1, "not UTF-8", "convert the file with `iconv -t UTF-8`"
        ) from err
    finally:
        if not stream.closed:  # closed already where the reading was given up half-way
            text.detach()  # the stream is closed by whoever opened it


def _csv_row(line: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        raise BadRow(
            line,
            f"{len(cells)} cells, but the header names {len(header)} columns",
            "quote cells that hold commas or line breaks",
        )
    fields = dict(zip(header, cells, strict=True))
    return Row(line, fields, orjson.dumps(fields))


def _loaded(data: bytes, line: int) -> object:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as err:
        # The column only: a message that quotes the line would put payloads into logs.
        raise BadRow(
            line,
            f"not JSON (column {err.colno}: {err.msg})",
            "each row must be one JSON object; correct or remove that line",
        ) from err


def _object(value: object, line: int) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise BadRow(
            line,
            f"a row must be a JSON object, this is {_KINDS.get(type(value), 'something else')}",
            "correct or remove that line",
        )
    return value


_KINDS: dict[type, str] = {
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as err:
        raise BadRow(
            data.count(b"\n", 0, err.start) + 1, "not UTF-8", "convert it with `iconv -t UTF-8`"
        ) from err


def _after_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _bad_element(text: str, at: int, what: str) -> BadRow:
    return BadRow(
        text.count("\n", 0, at) + 1,
        f"not JSON (column {at - text.rfind(chr(10), 0, at)}: {what})",
        "the file must be one array of JSON objects; correct that element",
    )
