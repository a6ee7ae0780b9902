"""The archive by hour of event time: which objects there are, and their events as NDJSON.

Objects are found through the manifests, never by listing a prefix: what a crashed attempt left
behind has no manifest.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

from millrace.aws.manifests import ManifestsReader
from millrace.compression import reader
from millrace.windows import hour_label
from millrace_cli.aws import explained
from millrace_cli.environment import Environment
from millrace_cli.errors import CommandError, ExitCode

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_WHEN = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2})(?::00)?Z?)?")
_COPY_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class ArchiveObject:
    """One archive object, as its manifest describes it."""

    hour: str
    object_key: str
    events: int
    bytes: int
    first_event_time: str
    last_event_time: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)


def hours_in(when: str) -> list[str]:
    """Return the hour labels of `2015-09-12T13` (one) or `2015-09-12` (24), in order.

    Raises:
        CommandError: it is neither.
    """
    match = _WHEN.fullmatch(when)
    try:
        start = datetime.fromisoformat(match[1]).replace(hour=int(match[2] or 0)) if match else None
    except ValueError:
        start = None
    if match is None or start is None:
        raise CommandError(
            f"{when!r} is neither an hour nor a date",
            "write an hour like 2015-09-12T13 or a date like 2015-09-12 (UTC)",
            ExitCode.USAGE,
        )
    start = start.replace(tzinfo=UTC)
    return [hour_label(start + timedelta(hours=n)) for n in range(1 if match[2] else 24)]


class Archive(Protocol):
    """Where the archive's objects are found and read."""

    def objects(self, hour: str) -> Iterator[ArchiveObject]:
        """Yield the objects of one hour, in order of their first event."""
        ...

    def copy(self, object_key: str, target: IO[bytes]) -> None:
        """Write an object's events to `target`, decompressed, without holding them all."""
        ...

    def body(self, object_key: str) -> bytes:
        """Return an object as it is stored."""
        ...


class S3Archive:
    """`Archive` on S3 and the manifests table."""

    def __init__(self, environment: Environment) -> None:
        self._bucket = environment.outputs.data_bucket
        self._manifests = ManifestsReader(
            environment.clients.dynamodb(), environment.outputs.tables.manifests
        )
        self._s3: S3Client = environment.clients.s3()

    def objects(self, hour: str) -> Iterator[ArchiveObject]:
        """Yield the objects of one hour, in order of their first event."""
        with explained("list the archive"):
            found = [_object(row) for row in self._manifests.archived(hour)]
        yield from sorted(found, key=lambda each: (each.first_event_time, each.object_key))

    def copy(self, object_key: str, target: IO[bytes]) -> None:
        """Write an object's events to `target`, decompressed, without holding them all."""
        with explained(f"read {object_key}"):
            body = self._s3.get_object(Bucket=self._bucket, Key=object_key)["Body"]
            lines = reader(object_key, cast("IO[bytes]", body))
            while chunk := lines.read(_COPY_BYTES):
                target.write(chunk)

    def body(self, object_key: str) -> bytes:
        """Return an object as it is stored."""
        with explained(f"read {object_key}"):
            return self._s3.get_object(Bucket=self._bucket, Key=object_key)["Body"].read()


def list_objects(archive: Archive, when: str) -> list[ArchiveObject]:
    """Return the objects of an hour or a day.

    Raises:
        CommandError: `when` is neither, or the archive cannot be read.
    """
    return [each for hour in hours_in(when) for each in archive.objects(hour)]


def copy_events(archive: Archive, objects: Iterable[ArchiveObject], target: IO[bytes]) -> int:
    """Write the events of `objects` to `target` as NDJSON; return how many objects there were."""
    copied = 0
    for each in objects:
        archive.copy(each.object_key, target)
        copied += 1
    return copied


@dataclass(slots=True)
class Copied:
    """What a copy of archive objects came to."""

    objects: int = 0
    bytes: int = 0
    """Of all objects, those included that were there already."""
    already_there: int = 0


def copy_objects(archive: Archive, objects: Iterable[ArchiveObject], folder: Path) -> Copied:
    """Copy objects as they are below `folder`, keys as paths; whole ones are not copied again.

    Raises:
        CommandError: the folder cannot be written.
    """
    done = Copied()
    for each in objects:
        file = folder / each.object_key
        if file.is_file() and file.stat().st_size == each.bytes:
            done.already_there += 1
        else:
            body = archive.body(each.object_key)
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                part = file.with_name(f".{file.name}.part")
                part.write_bytes(body)
                part.replace(file)
            except OSError as err:
                raise CommandError(
                    f"cannot write below {folder}: {(err.strerror or str(err)).lower()}",
                    "make room, or give a folder that you may write; what is whole stays",
                ) from err
        done.objects += 1
        done.bytes += each.bytes
    return done


def _object(row: Mapping[str, Any]) -> ArchiveObject:
    return ArchiveObject(
        hour=row["hour"],
        object_key=row["object_key"],
        events=int(row["events"]),
        bytes=int(row["bytes"]),
        first_event_time=str(row["first_event_time"]),
        last_event_time=str(row["last_event_time"]),
    )
