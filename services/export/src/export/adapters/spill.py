"""Events of a pass on disk: appended as they come, read back client by client.

One file of zstd frames, each a client's lines of one flush. Level 1 takes a tenth of JSON's size
at several hundred megabytes a second.
"""

import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import zstandard

from export.ports import SpillFull

FLUSH_BYTES = 4 * 1024 * 1024
_LEVEL = 1


@dataclass(frozen=True, slots=True)
class _Frame:
    offset: int
    length: int


class DiskSpill:
    """`export.ports.Spill` in a file that has no name, so that it goes even with a crash."""

    def __init__(
        self, limit_bytes: int, folder: str | None = None, flush_bytes: int = FLUSH_BYTES
    ) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        self._limit_bytes = limit_bytes
        self._flush_bytes = flush_bytes
        self._waiting: defaultdict[str, list[bytes]] = defaultdict(list)
        self._waiting_bytes = 0
        self._frames: defaultdict[str, list[_Frame]] = defaultdict(list)
        self._end = 0

    def add(self, client_id: str, text: bytes) -> None:
        """Keep whole lines behind the client's earlier ones; one thread at a time.

        Raises:
            SpillFull: the limit is passed, or the disk is full before it.
        """
        self._waiting[client_id].append(text)
        self._waiting_bytes += len(text)
        if self._waiting_bytes >= self._flush_bytes:
            self._flush()

    def texts(self, client_id: str) -> Iterator[bytes]:
        """Yield the client's lines in order, a flush at a time; any number of threads."""
        decompressor = zstandard.ZstdDecompressor()
        for frame in self._frames.get(client_id, ()):
            packed = os.pread(self._file.fileno(), frame.length, frame.offset)
            yield decompressor.decompress(packed)
        waiting = self._waiting.get(client_id)
        if waiting:
            yield b"".join(waiting)

    def __enter__(self) -> "DiskSpill":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the room back."""
        self._file.close()

    def _flush(self) -> None:
        compressor = zstandard.ZstdCompressor(level=_LEVEL)
        for client_id, texts in self._waiting.items():
            packed = compressor.compress(b"".join(texts))
            if self._end + len(packed) > self._limit_bytes:
                raise SpillFull(f"more than {self._limit_bytes} bytes of compressed events")
            self._write(packed)
            self._frames[client_id].append(_Frame(self._end, len(packed)))
            self._end += len(packed)
        self._waiting.clear()
        self._waiting_bytes = 0

    def _write(self, packed: bytes) -> None:
        try:
            os.pwrite(self._file.fileno(), packed, self._end)
        except OSError as err:
            raise SpillFull(f"the disk takes no more: {err}") from err
