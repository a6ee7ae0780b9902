"""Histograms of lag."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.lag import histogram, merged, quantile_ms

LAGS = st.lists(st.integers(-1000, 10**12), min_size=1, max_size=200)


@given(LAGS, LAGS)
def test_merging_is_the_histogram_of_both(one, other):
    """Two commits' histograms add up to that of all their events."""
    assert merged([histogram(one), histogram(other)]) == histogram(one + other)


@given(LAGS, st.sampled_from([0.01, 0.5, 0.9, 0.99, 1.0]))
def test_quantiles_are_within_five_percent(lags, share):
    """A quantile is at most 5 % off the exact one; early events count as no lag."""
    exact = sorted(lags)[max(0, -(-int(share * 100) * len(lags) // 100) - 1)]
    assert quantile_ms(histogram(lags), share) == pytest.approx(max(exact, 0), rel=0.05)


def test_nothing_has_no_quantile():
    """An empty histogram says so."""
    with pytest.raises(ValueError, match="empty"):
        quantile_ms({}, 0.5)
