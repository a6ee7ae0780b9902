"""Sums of amounts, kept exact inside what DynamoDB can add up.

DynamoDB holds 38 digits and refuses a number with more:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
An amount (millrace.payload_amounts) has at most 18 digits before and 9 after the point, so a row
stays exact over 10^11 events of the largest amount.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal

_EXACT = Context(prec=38, rounding=ROUND_HALF_EVEN)


def total(amounts: Iterable[Decimal]) -> int | Decimal:
    """Return the exact sum of amounts; a whole number as int."""
    result = Decimal(0)
    for amount in amounts:
        result = _EXACT.add(result, amount)
    return _whole_as_int(result)


def added(one: int | Decimal, other: int | Decimal) -> int | Decimal:
    """Return the exact sum of two totals; a whole number as int."""
    if isinstance(one, int) and isinstance(other, int):
        return one + other
    return _whole_as_int(_EXACT.add(Decimal(one), Decimal(other)))


def _whole_as_int(number: Decimal) -> int | Decimal:
    return int(number) if number == number.to_integral_value() else number
