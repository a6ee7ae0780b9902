"""Puts the rows of a file into a table: checked whole, in order, resumable."""

import time
from collections import Counter
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Generic, Protocol, TypeVar

from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.rows import Row, RowFormat, opened, read_rows

CHUNK_ROWS = 500


class Change(StrEnum):
    """What a row did to the table."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class Keyed(Protocol):
    """An entry of a table."""

    @property
    def key(self) -> Hashable:
        """What it replaces an earlier entry by."""
        ...


Entry = TypeVar("Entry", bound=Keyed)
Entry_contra = TypeVar("Entry_contra", bound=Keyed, contravariant=True)


class Store(Protocol[Entry_contra]):
    """A table to load into."""

    def store(self, entries: Sequence[Entry_contra]) -> Iterable[Change]:
        """Store entries of different keys; say what each of them changed.

        Raises:
            CommandError: some or all of them were not stored; storing them again does no harm.
        """
        ...


@dataclass(frozen=True, slots=True)
class LoadSource(Generic[Entry]):
    """What to load: a path or `-`, how to read it, what to make of a row, how much to skip."""

    path: str
    entry_of: Callable[[Row], Entry]
    row_format: RowFormat = RowFormat.AUTO
    skip: int = 0

    def records(self) -> Generator[Entry]:
        """Yield the entries after the first `skip` rows.

        Raises:
            CommandError: the file cannot be read, or a row of it is bad.
        """
        with opened(self.path) as stream:
            for row in islice(read_rows(stream, self.path, self.row_format), self.skip, None):
                yield self.entry_of(row)


@dataclass
class Loaded:
    """What has been stored so far; readable at any moment, also after an interruption."""

    rows: int = 0
    changes: Counter[Change] = field(default_factory=Counter)
    seconds: float = 0.0
    listeners: list[Callable[[int], None]] = field(default_factory=list)

    def as_dict(self) -> dict[str, int | float]:
        """Return the fields for JSON."""
        counts = {change.value: self.changes[change] for change in Change}
        return {"rows": self.rows, **counts, "seconds": round(self.seconds, 3)}


def load(source: LoadSource[Entry], store: Store[Entry], loaded: Loaded) -> None:
    """Store the entries of `source` in order; `loaded` is kept up to date.

    Of two rows with one key the later one holds: they never go together.

    Raises:
        CommandError: says how many rows were stored and how to resume.
    """
    started = time.perf_counter()
    with closing(source.records()) as records, _stopping_explained(source.skip, loaded):
        for chunk in chunks(records):
            loaded.changes.update(store.store(chunk))
            loaded.rows += len(chunk)
            loaded.seconds = time.perf_counter() - started
            for listener in loaded.listeners:
                listener(loaded.rows)


def chunks(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Yield the entries in order, at most `CHUNK_ROWS` together, no key twice in a chunk."""
    chunk: dict[Hashable, Entry] = {}
    for entry in entries:
        if len(chunk) == CHUNK_ROWS or entry.key in chunk:
            yield list(chunk.values())
            chunk = {}
        chunk[entry.key] = entry
    if chunk:
        yield list(chunk.values())


@contextmanager
def _stopping_explained(skipped: int, loaded: Loaded) -> Generator[None]:
    try:
        yield
    except KeyboardInterrupt as err:
        stop = CommandError("interrupted", code=ExitCode.INTERRUPTED)
        raise _stopped(stop, skipped, loaded) from err
    except CommandError as err:
        raise _stopped(err, skipped, loaded) from err


def _stopped(err: CommandError, skipped: int, loaded: Loaded) -> CommandError:
    done = skipped + loaded.rows
    resume = f"resume with --skip {done}" if done else "run it again"
    remedy = f"{err.remedy}, then {resume}" if err.remedy else resume
    return CommandError(f"{err.problem} ({loaded.rows} rows were stored)", remedy, err.code)
