"""A subject's own rhythm: how many events each hour of its day brings, and which silences break it.

Two steps, each a known one. First a silence is measured in events instead of minutes: how many the
subject has in that stretch of the day on its other days. This evens out day and night (the
time-rescaling theorem: Brown, Barbieri, Ventura, Kass, Frank: The time-rescaling theorem and its
application to neural spike train data analysis, Neural Computation 14(2), 2002). Then the longest
ordinary silences, whether subjects act singly or in bursts, tell how long a silence chance makes:
their excesses over a high threshold are about exponential (peaks over threshold: Coles, An
Introduction to Statistical Modeling of Extreme Values, 2001, chapter 4). The scale comes from the
median excess, so the silence that is looked for does not hide itself.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, log, sqrt
from statistics import median

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
FALSE_ALARMS = 0.05
"""How many silences as long as a reported one chance alone would make in the whole span."""
FEWEST_BURSTS = 10
"""Of fewer there is no rhythm to speak of."""
_PRIOR_HOURS = 2.0
"""Weight of the whole day's rate in the rate of one of its hours."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Two events that follow each other, or the last one and the end of what is known."""

    begin_ms: int
    end_ms: int
    expected: float
    """Events that the subject usually has meanwhile."""
    open: bool = False
    """It goes on at the end of what is known."""

    @property
    def duration_ms(self) -> int:
        """How long it is."""
        return self.end_ms - self.begin_ms


class Rates:
    """Events by hour of the day (UTC), of all days but the one that is asked about."""

    def __init__(self, times_ms: Sequence[int], begin_ms: int, end_ms: int) -> None:
        """`times_ms` are sorted; `begin_ms` to `end_ms` is when the subject was observed."""
        self._begin_ms, self._end_ms = begin_ms, end_ms
        self._events: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        self._hours: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
        for at_ms in times_ms:
            self._events[at_ms % DAY_MS // HOUR_MS][at_ms // DAY_MS] += 1
        for hour_ms in range(begin_ms - begin_ms % HOUR_MS, end_ms, HOUR_MS):
            seen_ms = min(hour_ms + HOUR_MS, end_ms) - max(hour_ms, begin_ms)
            self._hours[hour_ms % DAY_MS // HOUR_MS][hour_ms // DAY_MS] += seen_ms / HOUR_MS
        self._mean = len(times_ms) * HOUR_MS / max(1, end_ms - begin_ms)
        self._totals = {
            hour: (sum(self._events[hour].values()), sum(self._hours[hour].values()))
            for hour in range(24)
        }

    def rate(self, at_ms: int) -> float:
        """Return the events an hour at that time of day, on the other days."""
        hour, day = at_ms % DAY_MS // HOUR_MS, at_ms // DAY_MS
        events, hours = self._totals[hour]
        others = hours - self._hours[hour][day]
        if others < 1:  # one day alone: its own mean
            return self._mean
        counted = events - self._events[hour][day] + _PRIOR_HOURS * self._mean
        return counted / (others + _PRIOR_HOURS)

    def expected(self, begin_ms: int, end_ms: int) -> float:
        """Return how many events the subject usually has in a stretch of time."""
        total, at_ms = 0.0, begin_ms
        while at_ms < end_ms:
            next_ms = min(end_ms, at_ms - at_ms % HOUR_MS + HOUR_MS)
            total += self.rate(at_ms) * (next_ms - at_ms) / HOUR_MS
            at_ms = next_ms
        return total


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How long a subject's ordinary silences are, in events that it usually has meanwhile."""

    threshold: float
    """Where the tail begins."""
    scale: float
    """The mean excess over it: about the events of one burst."""
    tail: int
    """Silences in the tail."""
    burst_size: float
    """Events that come together, on average."""

    @classmethod
    def of(cls, intervals: Sequence[Interval]) -> "Rhythm | None":
        """Return the rhythm of a subject; None if it acts too seldom to have one."""
        lengths = sorted((each.expected for each in intervals), reverse=True)
        bursts = _bursts(lengths)
        if bursts < FEWEST_BURSTS:
            return None
        tail = min(bursts, max(FEWEST_BURSTS, ceil(sqrt(len(lengths)))))
        threshold = lengths[tail] if tail < len(lengths) else 0.0
        scale = median(length - threshold for length in lengths[:tail]) / log(2)
        return cls(threshold, scale, tail, len(lengths) / bursts) if scale > 0 else None

    def by_chance(self, expected: float) -> float:
        """Return how many silences at least so long chance makes in the whole span.

        The scale is an estimate, so the tail is the predictive one, heavier than the exponential.
        """
        if expected <= self.threshold:
            return float(self.tail)
        excess = (expected - self.threshold) / self.scale
        return float(self.tail * (1 + excess / self._weight) ** -self._weight)

    @property
    def longest_ordinary(self) -> float:
        """Return the length, in usual events, from which on a silence is reported."""
        excess = self._weight * ((self.tail / FALSE_ALARMS) ** (1 / self._weight) - 1)
        return float(self.threshold + self.scale * excess)

    @property
    def _weight(self) -> float:
        """How many silences the scale is worth: a median tells 48 % of what a mean does."""
        return log(2) ** 2 * self.tail


def _bursts(lengths: Sequence[float]) -> int:
    """Return how many of the lengths lie between bursts: the extremal index times their number.

    The intervals estimator: Ferro, Segers: Inference for clusters of extreme values, Journal of the
    Royal Statistical Society B 65(2), 2003. An outlier makes it smaller, never larger.
    """
    squares = sum(length * length for length in lengths)
    total = sum(lengths)
    return min(len(lengths), int(2 * total * total / squares)) if squares else 0


def intervals(times_ms: Sequence[int], rates: Rates, end_ms: int) -> Iterator[Interval]:
    """Yield what lies between events, the last one and `end_ms` included, in order."""
    for begin_ms, next_ms in pairwise(times_ms):
        yield Interval(begin_ms, next_ms, rates.expected(begin_ms, next_ms))
    if times_ms and times_ms[-1] < end_ms:
        last_ms = times_ms[-1]
        yield Interval(last_ms, end_ms, rates.expected(last_ms, end_ms), open=True)
