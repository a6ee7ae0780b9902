"""The outside of export in a folder: what is left is the worker alone, its S3 adapter included."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import md5
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from export.domain.files import Exported, Place
from export.domain.sources import ArchivedObject
from millrace.compression import lines_of
from millrace_bench.export_hour.making import rows_in


@dataclass(frozen=True)
class FolderArchive:
    """`export.ports.Archive` in a folder that `making` made."""

    folder: Path

    def objects(self, hour: str) -> Iterator[ArchivedObject]:
        """Yield the hour's objects."""
        del hour
        return rows_in(self.folder)

    def lines(self, key: str) -> Iterator[bytes]:
        """Return an object's lines."""
        return lines_of(key, (self.folder / key).read_bytes())


@dataclass
class RememberedExports:
    """`export.ports.Exports` in memory."""

    rows: dict[tuple[str, str], Exported] = field(default_factory=dict)

    def of(self, hour: str) -> Iterator[Exported]:
        """Yield the rows of an hour."""
        return iter([row for (label, _), row in self.rows.items() if label == hour])

    def settle(self, hour: str, client_id: str, place: Place) -> Exported:
        """Return the client's row."""
        return self.rows.setdefault((hour, client_id), Exported(client_id, place))

    def update(self, hour: str, seen: Exported, now: Exported) -> None:
        """Keep the row."""
        del seen
        self.rows[hour, now.client_id] = now


class FolderS3:
    """As much of an S3 client as export's adapter calls; objects are files below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def head_object(self, **at: Any) -> Mapping[str, Any]:  # noqa: ANN401 - boto3's arguments
        """Answer for a file."""
        file = self._file(at)
        if not file.exists():
            raise ClientError({"Error": {"Code": "404"}}, "HeadObject")
        return {"ETag": f'"{md5(file.read_bytes(), usedforsecurity=False).hexdigest()}"'}

    def put_object(self, Body: bytes, **at: Any) -> None:  # noqa: ANN401, N803 - boto3's arguments
        """Write a file."""
        self._file(at).write_bytes(Body)

    def create_multipart_upload(self, **at: Any) -> Mapping[str, Any]:  # noqa: ANN401
        """Begin a file."""
        self._file(at).write_bytes(b"")
        return {"UploadId": "1"}

    def upload_part(self, Body: bytes, **at: Any) -> Mapping[str, Any]:  # noqa: ANN401, N803
        """Write behind the earlier parts."""
        with self._file(at).open("ab") as file:
            file.write(Body)
        return {"ETag": str(at["PartNumber"])}

    def complete_multipart_upload(self, **at: Any) -> None:  # noqa: ANN401
        """Leave the file as it is."""

    def abort_multipart_upload(self, **at: Any) -> None:  # noqa: ANN401
        """Take the file away."""
        self._file(at).unlink()

    def _file(self, at: Mapping[str, Any]) -> Path:
        file: Path = self._folder / at["Bucket"] / at["Key"]
        file.parent.mkdir(parents=True, exist_ok=True)
        return file
