"""NDJSON compressed for the archive: gzip or zstd, the same lines always the same bytes.

zstd needs the package zstandard (`millrace[zstd]`): Python has it in its own library only from 3.14
on. It is imported where it is used, because this module is in every zip and the package is not: a
service that reads or writes archive objects asks for the extra.
"""

import gzip
from collections.abc import Iterable, Iterator, Sequence
from io import BufferedReader, BytesIO
from typing import IO, cast

from millrace.archive_layout import Compression
from millrace.errors import MillraceError
from millrace.raw_lines import pack

_READ_BYTES = 128 * 1024


class UnknownCompression(MillraceError):
    """A key that ends like none of the archive's objects."""


def compressed(lines: Sequence[bytes], compression: Compression, level: int) -> bytes:
    """Return `lines` (without line ends) as one object's bytes."""
    if compression is Compression.GZIP:
        return pack(lines, level=level).body
    import zstandard  # noqa: PLC0415 - see above

    text = b"".join(line + b"\n" for line in lines)
    return zstandard.ZstdCompressor(level=level).compress(text)


def compression_of(key: str) -> Compression:
    """Return how the object under `key` is compressed, by the end of its name.

    Raises:
        UnknownCompression: the name ends otherwise.
    """
    for compression in Compression:
        if key.endswith(f".{compression.suffix}"):
            return compression
    raise UnknownCompression(f"object {key} ends neither in .gz nor in .zst")


def reader(key: str, body: IO[bytes]) -> IO[bytes]:
    """Return a stream of the object's text that holds a small part of it at a time.

    Raises:
        UnknownCompression: see `compression_of`.
    """
    stream: IO[bytes]
    if compression_of(key) is Compression.GZIP:
        stream = cast("IO[bytes]", gzip.GzipFile(fileobj=body, mode="rb"))
    else:
        import zstandard  # noqa: PLC0415 - see above

        # An object may be several frames one after the other, as gzip has members.
        stream = zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True)
    return BufferedReader(stream, _READ_BYTES)  # type: ignore[type-var]


def lines_of(key: str, body: bytes) -> Iterator[bytes]:
    """Yield the lines of an object, each with its line end, as they are decompressed."""
    lines: Iterable[bytes] = reader(key, BytesIO(body))
    yield from lines
