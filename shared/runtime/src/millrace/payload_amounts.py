"""Amounts: numbers in payloads, exact and bounded, so that sums of them stay exact."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal

from millrace.payload_values import value_at

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
