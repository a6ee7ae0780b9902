"""A client's file of one hour: where it lies, what was written, and its manifest."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import orjson

from export.domain.form import FileCompression, FileFormat, Form, manifest_name
from export.domain.sources import ClientHour
from millrace.keys import client_folder
from millrace.windows import hour_label


class Status(StrEnum):
    """Whether a reference that touches the hour was still on its way when it was exported."""

    COMPLETE = "complete"
    PROVISIONAL = "provisional"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a client's file of one hour lies, and in which form; settled before its first byte.

    Were a changed setting to move it, late events would make a second file beside the first.
    """

    bucket: str
    key: str
    form: Form

    @property
    def folder(self) -> str:
        """The client's folder, with a slash at its end."""
        return f"{self.key.rpartition('/')[0]}/"

    def manifest_key(self, hour: datetime) -> str:
        """Return the key of the manifest beside the file."""
        return f"{self.folder}{manifest_name(hour)}"


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds."""

    digest: str
    """Of its sources (`ClientHour.digest`)."""
    events: int
    input_hash: str
    """The sum of the events' hashes modulo 2^64, 16 hex digits, as in the archive's manifests."""
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What the manifests table says of one client's hour."""

    client_id: str
    place: Place
    revision: int = 0
    """Counts the writes of this row; each one follows the revision that it read."""
    content: Content | None = None
    """None until the first file is written."""
    status: Status | None = None

    def is_current(self, wanted: ClientHour, status: Status) -> bool:
        """Tell whether file and manifest say all that there is to say."""
        return self.holds(wanted) and self.status is status

    def holds(self, wanted: ClientHour) -> bool:
        """Tell whether the file was made of these very sources."""
        return self.content is not None and self.content.digest == wanted.digest


@dataclass(frozen=True, slots=True)
class Placement:
    """The settings that place new files."""

    bucket: str
    client_buckets: dict[str, str]
    """Bucket by client id, for clients that have one of their own."""
    form: Form

    def place(self, client_id: str, hour: datetime) -> Place:
        """Return where a client's file of an hour goes if it has no place yet."""
        bucket = self.client_buckets.get(client_id, self.bucket)
        return Place(bucket, client_folder(client_id) + self.form.name(hour), self.form)


def form_of(format_name: str, compression_name: str) -> Form:
    """Return the form that these names in a row or a setting mean."""
    return Form(FileFormat(format_name), FileCompression(compression_name))


def manifest(
    hour: datetime, wanted: ClientHour, place: Place, content: Content, status: Status
) -> bytes:
    """Return the manifest's bytes: the same for the same events and status, whenever written."""
    return orjson.dumps(
        {
            "client_id": wanted.client_id,
            "hour": hour_label(hour),
            "status": status,
            "file": place.key,
            "format": place.form.format,
            "compression": place.form.compression,
            "events": content.events,
            "input_hash": content.input_hash,
            "bytes": content.size_bytes,
            "sha256": content.sha256,
            "source_objects": [
                {"key": source.key, "events": source.events} for source in wanted.sources()
            ],
        },
        option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )
