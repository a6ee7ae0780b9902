"""Many schedules, on several processes, and the story of those that break a promise."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from millrace_mapping.core.mapping import MappingMachine
from millrace_mapping.simulation.audit import Broken
from millrace_mapping.simulation.schedule import Run, build
from millrace_mapping.simulation.world import Stuck

_CHUNK = 250
_LAST_LINES = 40


@dataclass(slots=True)
class Tally:
    """What came of some seeds."""

    schedules: int = 0
    hours: float = 0.0
    invocations: int = 0
    failures: list[str] = field(default_factory=list)
    """The seed, what it broke and the end of its timeline."""

    def note(self, run: Run) -> None:
        """Play a schedule and count it."""
        failure = failure_of(run)
        self.schedules += 1
        self.hours += run.hours
        self.invocations += len(run.audit.invocations)
        self.failures += [failure] if failure else []

    def add(self, other: "Tally") -> None:
        """Count another tally in."""
        self.schedules += other.schedules
        self.hours += other.hours
        self.invocations += other.invocations
        self.failures += other.failures

    def __str__(self) -> str:
        """Say it in a line."""
        kept = f"{len(self.failures)} BROKEN" if self.failures else "all promises kept"
        return (
            f"{self.schedules:,} schedules, {self.hours:,.0f} simulated hours, "
            f"{self.invocations:,} invocations, {kept}"
        )


def failure_of(run: Run) -> str:
    """Play a schedule; return what it broke and the end of its timeline, or nothing."""
    try:
        run.go()
    except (Broken, Stuck) as err:
        told = "\n".join(run.audit.timeline.lines(_LAST_LINES))
        return f"seed {run.seed} breaks a promise: {err}\n{run.description}\n{told}"
    return ""


def failures(seeds: range, machine_type: type[MappingMachine] = MappingMachine) -> Iterator[str]:
    """Yield the story of each seed that breaks a promise, as soon as it does."""
    for seed in seeds:
        if story := failure_of(build(seed, machine_type)):
            yield story


def run_seeds(seeds: range) -> Tally:
    """Run some seeds in this process."""
    tally = Tally()
    for seed in seeds:
        tally.note(build(seed))
    return tally


def run_many(seeds: range, processes: int = 2) -> Tally:
    """Run many seeds on several processes."""
    chunks = [seeds[first : first + _CHUNK] for first in range(0, len(seeds), _CHUNK)]
    tally = Tally()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for part in pool.map(run_seeds, chunks):
            tally.add(part)
    return tally
