"""How the archive is laid out: where objects are cut, how they are packed, which folders they get.

Enrich stamps the layout on each enriched object, as S3 metadata, and archive obeys the stamp: were
the settings changed between two attempts at one commit, part `n` of the first would stand for other
events than part `n` of the second, or lie under another name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

MAX_EVENTS = "archive-max-events"
MAX_BYTES = "archive-max-bytes"
COMPRESSION = "archive-compression"
LEVEL = "archive-level"
PARTITIONS = "archive-partitions"

HIVE = "year={year}/month={month}/day={day}/hour={hour}"
_FIELDS = ("year", "month", "day", "hour")
_MAX_TEMPLATE = 200
# Characters that S3 asks nobody to encode, and `=` for Hive:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
_PART = r"(?:[A-Za-z0-9=_-]|\{(?:year|month|day|hour)\})+"
_TEMPLATE = re.compile(rf"{_PART}(?:/{_PART})*")


class Compression(StrEnum):
    """How archive objects are compressed; the value is its name in settings and stamps."""

    GZIP = "gzip"
    ZSTD = "zstd"

    @property
    def suffix(self) -> str:
        """The end of a key, by which Athena and DuckDB choose how to read the object.

        https://docs.aws.amazon.com/athena/latest/ug/compression-formats.html
        """
        return "gz" if self is Compression.GZIP else "zst"

    @property
    def levels(self) -> range:
        """The levels that it knows; zstd's from 20 on need far more memory to read."""
        return range(1, 10) if self is Compression.GZIP else range(1, 20)


DEFAULT_LEVEL = 6  # zlib's own default, and a good one for zstd


@dataclass(frozen=True, slots=True)
class ArchiveLayout:
    """Everything on which the names and the content of a commit's archive objects depend."""

    max_events: int = 1000
    max_bytes: int = 5_000_000
    """Uncompressed; an event larger than this is an object of its own."""
    compression: Compression = Compression.GZIP
    level: int = DEFAULT_LEVEL
    partitions: str = HIVE
    """The folders of one hour below `archive/`, with {year}, {month}, {day} and {hour}."""

    def __post_init__(self) -> None:
        """Refuse a layout that cannot be obeyed.

        Raises:
            ValueError: names the part that is wrong and what it may be.
        """
        if self.max_events < 1 or self.max_bytes < 1:
            raise ValueError("an archive object holds at least one event and one byte")
        check_level(self.compression, self.level)
        check_partitions(self.partitions)

    def folder(self, hour: datetime) -> str:
        """Return the folders of one UTC hour, without a slash at either end."""
        at = hour.astimezone(UTC)  # not %Y, which does not pad years below 1000
        return self.partitions.format(
            year=f"{at.year:04d}", month=f"{at:%m}", day=f"{at:%d}", hour=f"{at:%H}"
        )

    def to_metadata(self) -> dict[str, str]:
        """Return the stamp; names are lower case because S3 makes them so."""
        return {
            MAX_EVENTS: str(self.max_events),
            MAX_BYTES: str(self.max_bytes),
            COMPRESSION: self.compression.value,
            LEVEL: str(self.level),
            PARTITIONS: self.partitions,
        }

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> "ArchiveLayout":
        """Return the layout that `to_metadata` wrote.

        A stamp older than compression and folders has the cut alone: the rest was always gzip at
        its default level in Hive folders.

        Raises:
            ValueError: names the value that is missing or wrong.
        """
        compression = metadata.get(COMPRESSION, Compression.GZIP.value)
        if compression not in set(Compression):
            raise ValueError(f"`{COMPRESSION}` is {compression!r}, neither gzip nor zstd")
        return cls(
            max_events=_positive(metadata, MAX_EVENTS),
            max_bytes=_positive(metadata, MAX_BYTES),
            compression=Compression(compression),
            level=_positive({LEVEL: str(DEFAULT_LEVEL)} | dict(metadata), LEVEL),
            partitions=metadata.get(PARTITIONS, HIVE),
        )


def check_level(compression: Compression, level: int) -> int:
    """Return `level` if the compression knows it; else raise ValueError."""
    levels = compression.levels
    if level not in levels:
        raise ValueError(f"{compression} has the levels {levels[0]} to {levels[-1]}, not {level}")
    return level


def check_partitions(template: str) -> str:
    """Return `template` if it gives each hour folders of its own; else raise ValueError."""
    missing = [f"{{{name}}}" for name in _FIELDS if f"{{{name}}}" not in template]
    if missing:
        raise ValueError(
            f"the partition template {template!r} lacks {', '.join(missing)}: "
            "objects of different hours would share a folder"
        )
    if len(template) > _MAX_TEMPLATE or not _TEMPLATE.fullmatch(template):
        raise ValueError(
            f"the partition template {template!r} is folders of letters, digits, `=`, `_` and `-` "
            f"around {{year}}, {{month}}, {{day}} and {{hour}}, at most {_MAX_TEMPLATE} "
            f"characters, like {HIVE}"
        )
    return template


def _positive(metadata: Mapping[str, str], name: str) -> int:
    value = metadata.get(name, "")
    if not (value.isascii() and value.isdecimal() and int(value) > 0):
        raise ValueError(f"`{name}` is {value!r}, not a positive whole number")
    return int(value)
