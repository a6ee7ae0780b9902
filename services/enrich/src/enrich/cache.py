"""What was read is used again for a while, and so is that there was nothing to read."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Generic, TypeVar

from cachetools import TLRUCache

from enrich.ports import Assignments, Experiments
from millrace.assignments import EntityAssignments, Metadata
from millrace.clock import Clock

Value = TypeVar("Value")
_UNKNOWN = object()


class ReadThrough(Generic[Value]):
    """A reader by key whose answers are kept, present and absent ones for times of their own.

    When it is full, what was used least recently goes first. A time of zero keeps nothing.
    """

    def __init__(
        self,
        read: Callable[[Sequence[str]], Mapping[str, Value]],
        clock: Clock,
        *,
        ttl: timedelta,
        absent_ttl: timedelta,
        at_most: int,
        weigh: Callable[[Value], int] = lambda _: 0,
    ) -> None:
        """`at_most` bounds the sum of all entries' weights: one, and what `weigh` adds to it."""
        self._read = read

        def until(_key: str, value: Value | None, now_s: float) -> float:
            return now_s + (absent_ttl if value is None else ttl).total_seconds()

        def weight(value: Value | None) -> int:
            return min(1 if value is None else 1 + weigh(value), at_most)

        self._kept: TLRUCache[str, Value | None] = TLRUCache(
            at_most, until, lambda: clock.now().timestamp(), weight
        )

    def of(self, keys: Sequence[str]) -> Mapping[str, Value]:
        """Return the values that exist under `keys` (distinct); only unknown keys are read.

        Raises: what the reader raises; nothing is kept then.
        """
        answers = {key: self._answer(key) for key in keys}
        unknown = [key for key in keys if answers[key] is _UNKNOWN]
        read = self._read(unknown) if unknown else {}
        for key in unknown:
            self._kept[key] = answers[key] = read.get(key)
        return {key: value for key, value in answers.items() if value is not None}

    def _answer(self, key: str) -> Any:  # noqa: ANN401 - a Value, None or _UNKNOWN
        try:  # not `in` first: an entry may run out between two looks at it
            return self._kept[key]
        except KeyError:
            return _UNKNOWN


class CachedAssignments:
    """`enrich.ports.Assignments`, kept; each assignment counts against the bound."""

    def __init__(
        self,
        assignments: Assignments,
        clock: Clock,
        *,
        ttl: timedelta,
        absent_ttl: timedelta,
        at_most: int,
    ) -> None:
        self._kept: ReadThrough[EntityAssignments] = ReadThrough(
            assignments.of,
            clock,
            ttl=ttl,
            absent_ttl=absent_ttl,
            at_most=at_most,
            weigh=lambda found: len(found.known),
        )

    def of(self, entities: Sequence[str]) -> Mapping[str, EntityAssignments]:
        """Return the assignments of these entities, at most the stated times old."""
        return self._kept.of(entities)


class CachedExperiments:
    """`enrich.ports.Experiments`, kept."""

    def __init__(
        self,
        experiments: Experiments,
        clock: Clock,
        *,
        ttl: timedelta,
        absent_ttl: timedelta,
        at_most: int,
    ) -> None:
        self._kept: ReadThrough[Metadata] = ReadThrough(
            experiments.metadata_of, clock, ttl=ttl, absent_ttl=absent_ttl, at_most=at_most
        )

    def metadata_of(self, experiments: Sequence[str]) -> Mapping[str, Metadata]:
        """Return the metadata of these experiments, at most the stated times old."""
        return self._kept.of(experiments)
