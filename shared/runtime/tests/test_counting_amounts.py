"""Numbers from payloads."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.counting.amounts import LARGEST, amount_at, total

pytestmark = pytest.mark.aggregation


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (36, "36"),
        (-2.5, "-2.5"),
        (0.1, "0.1"),
        (0, "0"),
        (1e-9, "0.000000001"),
        (1.23456789012, "1.234567890"),
        (10**18 - 1, "999999999999999999"),
    ],
)
def test_a_number_is_taken_as_it_was_written(value, amount):
    """Decimal digits, not binary ones, cut half-even to nine places."""
    assert amount_at({"value": value}, ("value",)) == Decimal(amount)


@pytest.mark.parametrize("value", [None, True, "36", [1], {}, 10**18, -1e300, 2**80])
def test_what_cannot_be_added_is_none(value):
    """Texts, truth values and numbers too large for 38 digits of sum bring nothing."""
    assert amount_at({"value": value}, ("value",)) is None


def test_a_path_goes_into_objects():
    """Each name is a step; a missing step or one into a number is no amount."""
    payload = {"size": {"added": 3}}
    assert amount_at(payload, ("size", "added")) == 3
    assert amount_at(payload, ("size", "removed")) is None
    assert amount_at(payload, ("size", "added", "more")) is None


@given(st.lists(st.integers(-(10**27) + 1, 10**27 - 1), max_size=50))
def test_a_total_is_exact(units):
    """No digit is lost, though Python's default context keeps only 28."""
    amounts = [Decimal(unit) / 10**9 for unit in units]
    assert Fraction(total(amounts)) == Fraction(sum(units), 10**9)


def test_the_largest_amounts_stay_exact():
    """A hundred thousand of the largest with nine decimals add up without rounding."""
    largest = LARGEST - Decimal("1e-9")
    assert total([largest] * 100_000) == Decimal("99999999999999999999999.9999")
