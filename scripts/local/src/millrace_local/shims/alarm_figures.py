"""What a metric came to in its newest periods, from single points as ministack keeps them."""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

Point = Mapping[str, Any]


def newest_periods(
    points: Sequence[Point], statistic: str, period_s: int, count: int, now: float
) -> list[float | None]:
    """Return the statistic of the `count` periods that end now, oldest first; None: no points.

    Periods slide, as CloudWatch's do that evaluates every minute; here the last one ends at this
    very moment, so that an alarm need not wait for the full minute.
    Points are in order of time, but for what was published with a time of its own.
    Raises: KeyError: no such statistic is known here.
    """
    begin = now - period_s * count
    # A little slack for points out of order: reading all of a long test's would take too long.
    recent = takewhile(lambda p: p["Timestamp"] > begin - 60, reversed(points))
    periods: list[list[Point]] = [[] for _ in range(count)]
    for point in recent:
        age = now - point["Timestamp"]
        if 0 <= age < period_s * count:
            periods[count - 1 - int(age // period_s)].append(point)
    return [_statistic(each, statistic) for each in periods]


def _statistic(points: Sequence[Point], statistic: str) -> float | None:
    parts = [_parts(point) for point in points]
    known = [part for part in parts if part[0] > 0]
    if not known:
        return None
    samples, totals, lows, highs = zip(*known, strict=True)
    found: dict[str, float] = {
        "SampleCount": sum(samples),
        "Sum": sum(totals),
        "Average": sum(totals) / sum(samples),
        "Minimum": min(lows),
        "Maximum": max(highs),
    }
    return found[statistic]


def _parts(point: Point) -> tuple[float, float, float, float]:
    """Return samples, sum, least and most: of a statistic set, or of one value seen some times."""
    if "_stat" in point:
        names = ("SampleCount", "Sum", "Minimum", "Maximum")
        samples, total, low, high = (float(point["_stat"].get(name, 0)) for name in names)
        return samples, total, low, high
    samples, value = float(point.get("Count", 1)), float(point["Value"])
    return samples, samples * value, value, value
