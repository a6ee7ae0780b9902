"""What happened in a simulation, one line each, to be read by a person."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened; `what` is a format string of `details`.

    A tuple among the details is one of sequence numbers.
    """

    at: float
    who: str
    what: str
    details: tuple[object, ...] = ()

    def __str__(self) -> str:
        """Return the line."""
        details = [numbers(each) if isinstance(each, tuple) else each for each in self.details]
        told = self.what.format(*details) if details else self.what
        return f"{clock(self.at)}  {self.who:<22} {told}"


@dataclass(slots=True)
class Timeline:
    """The entries of one run, in order; their times are counted from `origin`."""

    entries: list[Entry] = field(default_factory=list)
    origin: float = 0.0

    def add(self, at: float, who: str, what: str, *details: object) -> None:
        """Note that something happened; the line is made only if somebody reads it."""
        self.entries.append(Entry(max(0.0, at - self.origin), who, what, details))

    def lines(self, last: int | None = None) -> Iterator[str]:
        """Yield the lines, or only the last ones."""
        for entry in self.entries[-last:] if last else self.entries:
            yield str(entry)


def clock(at: float) -> str:
    """Return a time of the simulation as hours:minutes:seconds."""
    minutes, seconds = divmod(at, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours:03d}:{minutes:02d}:{seconds:06.3f}"


def numbers(sequences: Iterable[str]) -> str:
    """Return sequence numbers with their runs shortened: 1000-1004 1007."""
    runs: list[list[int]] = []
    for number in map(int, sequences):
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return " ".join(_run(run) for run in runs)


def _run(run: Sequence[int]) -> str:
    return str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}"
