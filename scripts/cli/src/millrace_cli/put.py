"""`millrace put`: reads a file, checks all of it, then sends it."""

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.event_times import TimeReader
from millrace_cli.mapping import FieldMapping
from millrace_cli.records import OutRecord, record_of
from millrace_cli.rows import STDIN, RowFormat, opened, read_rows
from millrace_cli.sending import EventStream, Progress, send


@dataclass(frozen=True, slots=True)
class Source:
    """What to send: a path or `-`, how to map and read it, how much of it to skip."""

    path: str
    mapping: FieldMapping | None = None
    row_format: RowFormat = RowFormat.AUTO
    skip: int = 0
    times: TimeReader | None = None

    def __post_init__(self) -> None:
        """Refuse to change lines that are sent as they are.

        Raises:
            CommandError: a mapping or a time format is given for them.
        """
        if (self.mapping or self.times) and self.row_format is RowFormat.LINES:
            raise CommandError(
                "--map, --time-format or --tz with --format lines",
                "lines are sent as they are: leave one out",
                ExitCode.USAGE,
            )

    def records(self) -> Generator[OutRecord]:
        """Yield the records after the first `skip`.

        Raises:
            CommandError: the file cannot be read, or a row of it is bad.
        """
        with opened(self.path) as stream:
            rows = read_rows(stream, self.path, self.row_format)
            for row in islice(rows, self.skip, None):
                yield record_of(row, self.mapping, self.times)


@dataclass(frozen=True, slots=True)
class PutSummary:
    """What a put did."""

    sent: int
    skipped: int
    retried: int
    bytes: int
    batches: int
    seconds: float

    def as_dict(self) -> dict[str, int | float]:
        """Return the fields for JSON."""
        return asdict(self)


class Checkable(Protocol):
    """What can be read whole before any of it is used."""

    @property
    def path(self) -> str:
        """A path, or `-`."""
        ...

    @property
    def skip(self) -> int:
        """How many rows are left out."""
        ...

    def records(self) -> Iterable[object]:
        """Yield what the rows are made to, or raise CommandError at the first bad one."""
        ...


def check(source: Checkable, *, noun: str = "event", done: str = "sent") -> int | None:
    """Read all of a repeatable source and return how many records it has; None if it is not one.

    `noun` and `done` say for messages what a row holds and what is not done yet.

    Raises:
        CommandError: a row is bad or nothing is left to send; nothing has been sent.
    """
    path = Path(source.path)
    if source.path != STDIN and (path.is_dir() or not path.exists()):
        raise CommandError(
            f"cannot read {path}: {'it is a folder' if path.is_dir() else 'no such file'}",
            "check the path, or give - to read standard input",
            ExitCode.USAGE,
        )
    if source.path == STDIN or not path.is_file():
        return None  # the same rows cannot be read twice
    try:
        total = sum(1 for _ in source.records())
    except CommandError as err:
        raise CommandError(err.problem, f"{err.remedy} (nothing was {done})", err.code) from err
    if total == 0:
        raise CommandError(
            f"{source.path} has no rows{f' after the first {source.skip}' if source.skip else ''}",
            f"give a file with at least one {noun}",
        )
    return total


def put(
    source: Source, stream: EventStream, progress: Progress, rate: float | None = None
) -> PutSummary:
    """Send the records of `source`; `progress` is kept up to date.

    Raises:
        CommandError: says how many were sent and how to resume, whether a row is bad, the stream
            refuses, or the user interrupts.
    """
    started = time.perf_counter()
    with (
        closing(source.records()) as records,
        stopping_explained(progress, lambda: _resume(source, progress)),
    ):
        send(records, stream, progress, rate)
    return PutSummary(
        sent=progress.sent,
        skipped=source.skip,
        retried=progress.retried,
        bytes=progress.sent_bytes,
        batches=progress.batches,
        seconds=round(time.perf_counter() - started, 3),
    )


@contextmanager
def stopping_explained(progress: Progress, resume: Callable[[], str]) -> Generator[None]:
    """Add to whatever stops the sending how many events were sent and how to go on.

    Raises:
        CommandError: in place of another one, or of the user's interruption.
    """
    try:
        yield
    except KeyboardInterrupt as err:
        stop = CommandError("interrupted", code=ExitCode.INTERRUPTED)
        raise _stopped(stop, progress, resume()) from err
    except CommandError as err:
        raise _stopped(err, progress, resume()) from err


def _stopped(err: CommandError, progress: Progress, resume: str) -> CommandError:
    remedy = f"{err.remedy}, then {resume}" if err.remedy else resume
    return CommandError(f"{err.problem} ({progress.sent} events were sent)", remedy, err.code)


def _resume(source: Source, progress: Progress) -> str:
    done = source.skip + progress.sent
    return f"resume with --skip {done}" if done else "run it again"
