"""Numbers from payloads, kept exact inside what DynamoDB can add up.

DynamoDB holds 38 digits and refuses a number with more:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
An amount here has at most 18 digits before and 9 after the point, so a row stays exact over 10^11
events of the largest amount.
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal

from millrace.counting.payloads import value_at

LARGEST = Decimal(10) ** 18
SMALLEST_STEP = Decimal("1e-9")
_EXACT = Context(prec=38, rounding=ROUND_HALF_EVEN)


def amount_at(payload: Mapping[str, object], path: tuple[str, ...]) -> Decimal | None:
    """Return the number at `path`, rounded half-even to 9 places.

    Returns: None if there is none, if it is no number (a text or a truth value is none), or if it
        is LARGEST or beyond, either way of zero.
    """
    at = value_at(payload, path)
    if isinstance(at, bool) or not isinstance(at, int | float):
        return None
    number = Decimal(repr(at))  # a float's shortest form: 0.1 is 0.1
    if not number.is_finite() or abs(number) >= LARGEST:
        return None
    return number.quantize(SMALLEST_STEP, context=_EXACT)


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
