"""Histograms of lag that can be merged: quantiles over any set of commits, at 5 % accuracy.

Buckets grow by a constant factor, as in DDSketch (Masson, Rim, Lee: DDSketch, PVLDB 12(12), 2019),
so that merging is adding and a quantile is off by at most half a bucket.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import ceil, log

_FACTOR = 1.1
_LOG_FACTOR = log(_FACTOR)
NOT_BEHIND = -1
"""The bucket of events that arrived before their own time, or in the same millisecond."""


def bucket_of(lag_ms: int) -> int:
    """Return the bucket of a lag: number n holds lags above 1.1^(n-1) and up to 1.1^n ms."""
    return ceil(log(lag_ms) / _LOG_FACTOR) if lag_ms > 0 else NOT_BEHIND


def upper_ms(bucket: int) -> float:
    """Return the longest lag that a bucket holds, in milliseconds."""
    return 0.0 if bucket == NOT_BEHIND else _FACTOR**bucket


def histogram(lags_ms: Iterable[int]) -> Mapping[int, int]:
    """Return the number of lags in each bucket, in order of buckets."""
    return dict(sorted(Counter(map(bucket_of, lags_ms)).items()))


def merged(histograms: Iterable[Mapping[int, int]]) -> Mapping[int, int]:
    """Return the histogram of everything that went into the given ones."""
    total: Counter[int] = Counter()
    for each in histograms:
        total.update(each)
    return dict(sorted(total.items()))


def quantile_ms(buckets: Mapping[int, int], share: float) -> float:
    """Return the lag in milliseconds that `share` (0 to 1) of the events do not exceed.

    Raises:
        ValueError: the histogram is empty.
    """
    wanted = share * sum(buckets.values())
    seen = 0
    for bucket, count in sorted(buckets.items()):
        seen += count
        if seen >= wanted:
            return 0.0 if bucket == NOT_BEHIND else 2 * _FACTOR**bucket / (_FACTOR + 1)
    raise ValueError("an empty histogram has no quantiles")
