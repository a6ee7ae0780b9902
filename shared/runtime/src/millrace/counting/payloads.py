"""What a payload holds at a path."""

from collections.abc import Mapping
from typing import Any

LONGEST_TEXT = 256
"""Characters of a value that a metric is counted by, as for entities and clients."""


def value_at(payload: Mapping[str, object], path: tuple[str, ...]) -> object:
    """Return what is at `path`; None if nothing is, or null."""
    at: object = payload
    for name in path:
        if not isinstance(at, Mapping):
            return None
        at = at.get(name)
    return at


def text_at(payload: Mapping[str, object], path: tuple[str, ...]) -> str | None:
    """Return the value at `path` as the text that its rows are called by.

    Returns: a text of 1 to LONGEST_TEXT characters as it is, a whole number in digits, a truth
        value as `true` or `false`; None for anything else, which nobody could ask for by name.
    """
    value: Any = value_at(payload, path)
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str() if 0 < len(value) <= LONGEST_TEXT:
            return value
    return None
