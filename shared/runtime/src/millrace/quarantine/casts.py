"""Values of one JSON type read as another, where there is one way to read them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from millrace.errors import RejectedRecord
from millrace.quarantine.document import Written
from millrace.quarantine.paths import StepFailed
from millrace.time_formats import RFC3339, UnreadableTime, parse_time_format, rfc3339_text
from millrace.times import parse_rfc3339

_INTEGER = re.compile(r"[+-]?\d{1,20}(\.0*)?")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_TRUTH: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False}


class CastType(StrEnum):
    """What a value is cast to."""

    INT = "int"
    FLOAT = "float"
    STRING = "string"
    BOOL = "bool"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True)
class Cast:
    """A type and, for timestamps, how they are written and where their clock was."""

    to: CastType
    form: str = RFC3339
    zone: str | None = None

    def __post_init__(self) -> None:
        """Refuse what can never be read.

        Raises:
            FormatError: the form or the zone is wrong, or one is missing.
        """
        parse_time_format(self.form, self.zone)

    def apply(self, value: object) -> object:
        """Return the value in the type; one that is of it already stays as it is.

        Raises:
            StepFailed: it cannot be read as that type, or null is there.
        """
        if self.to is CastType.TIMESTAMP:
            return self._timestamp(value)
        return _CASTS[self.to](value)

    def _timestamp(self, value: object) -> str:
        if isinstance(value, str) and _is_rfc3339(value):
            return value
        if not isinstance(value, str | int | Written) or isinstance(value, bool):
            raise StepFailed(f"{_shown(value)} is no time")
        try:
            return rfc3339_text(parse_time_format(self.form, self.zone).instant(value))
        except UnreadableTime as err:
            raise StepFailed(f"{_shown(value)} is no time of the form {self.form}: {err}") from err


def _is_rfc3339(text: str) -> bool:
    try:
        parse_rfc3339(text)
    except RejectedRecord:
        return False
    return True


def _int(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = str(value).strip() if isinstance(value, str | Written) else ""
    if not _INTEGER.fullmatch(text):
        raise StepFailed(f"{_shown(value)} is no integer")
    return int(text.partition(".")[0])


def _float(value: object) -> object:
    if isinstance(value, Written) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if not _NUMBER.fullmatch(text):
        raise StepFailed(f"{_shown(value)} is no number")
    if _JSON_NUMBER.fullmatch(text):
        return Written(text)
    number = float(text)  # as `+1` or `.5`, which JSON does not know
    if not isfinite(number):
        raise StepFailed(f"{_shown(value)} is beyond any number")
    return number


def _string(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | Written):
        return str(value)
    raise StepFailed(f"{_shown(value)} is neither text, number nor truth value")


def _bool(value: object) -> object:
    truth = _TRUTH.get(str(value).strip().lower())
    if truth is None or isinstance(value, Written):
        raise StepFailed(f"{_shown(value)} is neither true nor false")
    return truth


_CASTS: Mapping[CastType, Callable[[object], object]] = {
    CastType.INT: _int,
    CastType.FLOAT: _float,
    CastType.STRING: _string,
    CastType.BOOL: _bool,
}


def _shown(value: object) -> str:
    return repr(value)[:64]
