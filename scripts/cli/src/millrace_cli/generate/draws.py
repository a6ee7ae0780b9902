"""Chance that is the same on every machine and under every Python.

Of the standard library's generator only `Random.random()` is used, seeded with an integer: its
sequence is the one thing that the library promises to keep ("Notes on Reproducibility",
https://docs.python.org/3/library/random.html). `choice`, `sample`, `gauss` and the others may
change. Nothing is drawn through `log` or `exp`, whose last digit differs between C libraries.
"""

from bisect import bisect_right
from collections.abc import Sequence
from hashlib import blake2b
from itertools import accumulate, pairwise
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Draws:
    """One stream of draws. Streams of other purposes do not shift when this one draws more."""

    def __init__(self, seed: int, purpose: str) -> None:
        digest = blake2b(f"{seed}:{purpose}".encode(), digest_size=16).digest()
        self._random = Random(int.from_bytes(digest, "big"))  # noqa: S311 - made-up data

    def below(self, bound: int) -> int:
        """Return one of 0 ... `bound` - 1, each as likely; `bound` is below 2^53."""
        return int(self._random.random() * bound)

    def between(self, low: int, high: int) -> int:
        """Return one of `low` ... `high`, both included."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        """Return True in so many of a hundred cases."""
        return self.below(100) < percent

    def choice(self, values: Sequence[T]) -> T:
        """Return one of `values` (not empty)."""
        return values[self.below(len(values))]

    def subset(self, size: int, of: int) -> list[int]:
        """Return `size` different numbers below `of`, ascending."""
        moved: dict[int, int] = {}  # Fisher and Yates's shuffle, of which only the moves are kept
        for number in range(size):
            other = self.between(number, of - 1)
            moved[number], moved[other] = moved.get(other, other), moved.get(number, number)
        return sorted(moved[number] for number in range(size))


class Weighted(Generic[T]):
    """Values of which some are drawn more often than others, by whole weights."""

    def __init__(self, values: Sequence[T], weights: Sequence[int]) -> None:
        self._values = values
        self._upto = list(accumulate(weights))

    def draw(self, draws: Draws) -> T:
        """Return one of the values."""
        return self._values[bisect_right(self._upto, draws.below(self._upto[-1]))]


def shares(total: int, weights: Sequence[int]) -> list[int]:
    """Return whole numbers that sum to `total`, in proportion to `weights`.

    A part whose exact share is at least 1 gets at least 1.
    """
    whole = sum(weights)
    upto = (total * done // whole for done in accumulate(weights, initial=0))
    return [after - before for before, after in pairwise(upto)]
