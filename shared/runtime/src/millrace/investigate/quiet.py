"""Hours with unusually few events, against the same hours of the days before.

Two yardsticks, and an hour has to be short by both. Bursts come by chance (Poisson), each of as
many events as the subject's bursts have: how likely are so few? And how far do the subject's own
hours differ from the days before? Counts are compared as square roots there, which evens out their
spread (Anscombe: The transformation of Poisson, binomial and negative-binomial data, Biometrika 35,
1948), and the spread is the median absolute deviation, which outliers do not move (Leys, Ley,
Klein, Bernard, Licata: Detecting outliers, Journal of Experimental Social Psychology 49(4), 2013).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, lgamma, log, sqrt
from statistics import NormalDist, median

from millrace.investigate.rhythm import DAY_MS, HOUR_MS

FALSE_ALARMS = 0.01
"""How many hours as quiet as a reported one chance alone would make; there are many to look at."""
FEWEST_DAYS = 3
"""Before an hour has been seen so often, there is nothing to compare it with."""
_MAD_TO_SIGMA = 1.4826
_FEWEST_HOURS = 24


@dataclass(frozen=True, slots=True)
class QuietHour:
    """An hour with far fewer events than the same hour had on the days before."""

    begin_ms: int
    events: int
    usual: float
    """The median of the days before."""
    by_chance: float
    """How many hours at least so quiet chance makes among all that were looked at."""


def quiet_hours(
    times_ms: Sequence[int], begin_ms: int, end_ms: int, burst_size: float
) -> list[QuietHour]:
    """Return the unusually quiet whole hours, in order.

    times_ms: of the subject, within `begin_ms` to `end_ms`, when it was observed.
    burst_size: events that come together, on average (`Rhythm.burst_size`).
    """
    counts = Counter(at_ms // HOUR_MS for at_ms in times_ms)
    first, last = -(-begin_ms // HOUR_MS), end_ms // HOUR_MS
    compared = list(_compared(counts, first, last))
    if not compared:
        return []
    spread = _spread(compared)
    judged = ((each, len(compared) * each.chance(burst_size, spread)) for each in compared)
    return [
        QuietHour(each.hour * HOUR_MS, each.events, each.usual, by_chance)
        for each, by_chance in judged
        if by_chance < FALSE_ALARMS
    ]


@dataclass(frozen=True, slots=True)
class _Compared:
    hour: int
    """Since 1970."""
    events: int
    usual: float

    @property
    def residual(self) -> float:
        """About standard normal for events that come singly."""
        return 2 * (sqrt(self.events + 0.375) - sqrt(self.usual + 0.375))

    def chance(self, burst_size: float, spread: float) -> float:
        """Return how likely an hour is to have so few events, by the milder yardstick."""
        bursts = _at_most(int(self.events / burst_size), self.usual / burst_size)
        return max(bursts, NormalDist().cdf(self.residual / spread))


def _spread(compared: Sequence[_Compared]) -> float:
    """Return how far hours differ from the days before; 1 where too few tell."""
    if len(compared) < _FEWEST_HOURS:
        return 1.0
    return max(1.0, _MAD_TO_SIGMA * median(abs(each.residual) for each in compared))


def _at_most(count: int, mean: float) -> float:
    """Return how likely a Poisson variable is to be `count` or less."""
    if mean <= 0:
        return 1.0
    terms = (exp(n * log(mean) - mean - lgamma(n + 1)) for n in range(count + 1))
    return min(1.0, sum(terms))


def _compared(counts: Counter[int], first: int, last: int) -> Iterator[_Compared]:
    day = DAY_MS // HOUR_MS
    for hour in range(first, last):
        before = [counts[each] for each in range(hour - day, first - 1, -day)]
        if len(before) >= FEWEST_DAYS:
            yield _Compared(hour, counts[hour], median(before))
