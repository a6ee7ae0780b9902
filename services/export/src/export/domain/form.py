"""The form of a client's file: NDJSON or one JSON array, plain or gzip."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_LEVEL = 6
_GZIP_WINDOW = 31  # 15 bits and a gzip header; its time is 0, so the same events are the same bytes


class FileFormat(StrEnum):
    """How events stand in a file; the value is its name in settings."""

    NDJSON = "ndjson"
    ARRAY = "array"


class FileCompression(StrEnum):
    """How a file is compressed; the value is its name in settings."""

    NONE = "none"
    GZIP = "gzip"


@dataclass(frozen=True, slots=True)
class Form:
    """The form of one file; it stays what it was when the hour was first exported."""

    format: FileFormat = FileFormat.NDJSON
    compression: FileCompression = FileCompression.NONE

    @property
    def content_type(self) -> str:
        """What S3 says of the object."""
        if self.compression is FileCompression.GZIP:
            return "application/gzip"
        return "application/x-ndjson" if self.format is FileFormat.NDJSON else "application/json"

    def name(self, hour: datetime) -> str:
        """Return the file's name inside the client's folder."""
        end = ".gz" if self.compression is FileCompression.GZIP else ""
        return f"events-{_stamp(hour)}.json{end}"

    def encoded(self, texts: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the file's bytes of `texts`, which are whole lines, without holding them all."""
        framed = _array(texts) if self.format is FileFormat.ARRAY else iter(texts)
        return _gzip(framed) if self.compression is FileCompression.GZIP else framed


def manifest_name(hour: datetime) -> str:
    """Return the name of the manifest beside the file."""
    return f"events-{_stamp(hour)}.manifest.json"


def _stamp(hour: datetime) -> str:
    return hour.isoformat(timespec="hours")[:13].replace("T", "-")


def _array(texts: Iterable[bytes]) -> Iterator[bytes]:
    opening = b"[\n"
    for text in texts:
        yield opening
        yield text[:-1].replace(b"\n", b",\n")  # JSON has no line end inside a string
        opening = b",\n"
    yield b"[]\n" if opening == b"[\n" else b"\n]\n"


def _gzip(texts: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    for text in texts:
        yield compressor.compress(text)
    yield compressor.flush()
