"""Waiting in tests: for a condition, never for a time."""

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

T = TypeVar("T")


def wait_until(condition: Callable[[], T], deadline_s: float = 30, every_s: float = 0.1) -> T:
    """Return the first truthy answer of `condition`.

    Raises:
        AssertionError: there was none before the deadline.
    """
    waiting = Retrying(
        retry=retry_if_result(lambda answer: not answer),
        stop=stop_after_delay(deadline_s),
        wait=wait_fixed(every_s),
    )
    try:
        return waiting(condition)
    except RetryError as err:
        last = err.last_attempt.result()
        raise AssertionError(f"not true within {deadline_s} s; last answer: {last!r}") from err
