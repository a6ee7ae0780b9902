"""Where exported dead letters go: a file, or objects in S3."""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from millrace.aws.objects import S3Objects
from millrace_cli.environment import Environment
from millrace_cli.errors import CommandError, ExitCode

_S3 = "s3://"


class FileSink:
    """`millrace.dlq.leaving.Sink` in a new file; made with the first line."""

    def __init__(self, file: Path) -> None:
        self.place = str(file)
        self._file = file
        self._begun = False

    def write(self, lines: Sequence[bytes]) -> None:
        """Append the lines and have the disk keep them."""
        try:
            with self._file.open("ab" if self._begun else "xb") as out:
                out.writelines(line + b"\n" for line in lines)
                out.flush()
                os.fsync(out.fileno())
        except FileExistsError as err:
            raise CommandError(
                f"{self._file} is there already", "give another --to", ExitCode.USAGE
            ) from err
        except OSError as err:
            raise CommandError(
                f"cannot write {self._file}: {err.strerror}", "give another --to"
            ) from err
        self._begun = True


class S3Sink:
    """`millrace.dlq.leaving.Sink` in S3: an object for each write, none written over."""

    def __init__(self, objects: S3Objects, bucket: str, prefix: str) -> None:
        self.place = f"{_S3}{bucket}/{prefix}"
        self._objects = objects
        self._prefix = prefix
        self._written = 0

    def write(self, lines: Sequence[bytes]) -> None:
        """Write the lines as the next object."""
        key = f"{self._prefix}-{self._written:05d}.ndjson"
        if not self._objects.put_new(key, b"\n".join(lines) + b"\n"):
            raise CommandError(f"{key} is there already", "give another --to", ExitCode.USAGE)
        self._written += 1


def sink_for(
    to: str | None, queue_name: str, at: datetime, environment: Environment
) -> FileSink | S3Sink:
    """Return where `to` says: a file, `s3://bucket/prefix`, or by default a file here.

    Raises:
        CommandError: the address in S3 names no bucket.
    """
    name = f"{queue_name}-{at:%Y%m%dT%H%M%SZ}"
    if to is None or not to.startswith(_S3):
        return FileSink(Path(to or f"{name}.ndjson"))
    bucket, _, prefix = to.removeprefix(_S3).partition("/")
    if not bucket:
        raise CommandError(f"--to {to} names no bucket", "write s3://BUCKET/PREFIX", ExitCode.USAGE)
    key = "/".join(filter(None, (prefix.rstrip("/"), name)))
    return S3Sink(S3Objects(environment.clients.s3(), bucket), bucket, key)
