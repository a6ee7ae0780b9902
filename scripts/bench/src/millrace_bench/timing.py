"""How long a piece of work takes: the best of some tries, as noise only ever adds."""

from collections.abc import Callable
from time import perf_counter


def best_s(work: Callable[[], object], tries: int = 5) -> float:
    """Return the shortest of `tries` wall times, in seconds."""
    return min(_seconds(work) for _ in range(tries))


def _seconds(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started
