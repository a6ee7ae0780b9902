"""NDJSON in multi-member gzip: readable whole by any tool, readable one event by one Range GET.

Concatenated members are one gzip file (RFC 1952, section 2.2), so zcat, Athena, Spark and DuckDB
read the object whole; each member alone is a gzip file too.
"""

import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

MEMBER_BYTES = 64 * 1024
_LEVEL = 6  # zlib's own default: 9 costs three times the time for about 1 % of the size


@dataclass(frozen=True, slots=True)
class Member:
    """Where one gzip member lies, in compressed bytes, and which lines it holds."""

    offset: int
    length: int
    first_line: int
    lines: int


@dataclass(frozen=True, slots=True)
class PackedLines:
    """The object's bytes and the map into them; members are in line order, without gaps."""

    body: bytes
    members: tuple[Member, ...]


def pack(
    lines: Sequence[bytes], member_bytes: int = MEMBER_BYTES, level: int = _LEVEL
) -> PackedLines:
    """Return `lines` (without line ends) as one object, a new member about every `member_bytes`.

    The same lines give the same bytes (no time stamp, no name in the gzip headers).
    """
    parts: list[bytes] = []
    members: list[Member] = []
    offset = first_line = 0
    for group in _groups(lines, member_bytes):
        part = gzip.compress(b"".join(line + b"\n" for line in group), level, mtime=0)
        members.append(Member(offset, len(part), first_line, len(group)))
        parts.append(part)
        offset += len(part)
        first_line += len(group)
    return PackedLines(b"".join(parts), tuple(members))


def unpack(body: bytes) -> list[bytes]:
    """Return the lines of an object, or of any run of its members."""
    return gzip.decompress(body).split(b"\n")[:-1] if body else []


def member_of(members: Sequence[Member], line: int) -> Member:
    """Return the member that holds line number `line` (from 0).

    Raises:
        IndexError: there is no such line.
    """
    for member in members:
        if member.first_line <= line < member.first_line + member.lines:
            return member
    raise IndexError(f"line {line} is in none of {len(members)} members")


def _groups(lines: Iterable[bytes], member_bytes: int) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    size = 0
    for line in lines:
        group.append(line)
        size += len(line) + 1
        if size >= member_bytes:
            yield group
            group, size = [], 0
    if group:
        yield group
