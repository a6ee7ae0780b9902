"""Times as senders write them: RFC 3339, epochs, strptime patterns, local times of a zone.

What a local time means is looked up in the machine's time zone database; all else depends on the
value and the format alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from millrace.errors import RejectedRecord
from millrace.times import parse_rfc3339

RFC3339 = "rfc3339"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS_US = {
    "epoch_s": Decimal(1_000_000),
    "epoch_ms": Decimal(1_000),
    "epoch_us": Decimal(1),
    "epoch_ns": Decimal("0.001"),
}
FORMATS = (
    f"use {RFC3339}, {', '.join(_UNITS_US)}, or a strptime pattern with year, month and day, "
    "such as '%Y-%m-%d %H:%M:%S'"
)
_PROBE = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)


class FormatError(ValueError):
    """This cannot be a format of times."""


class ZoneNames(FormatError):
    """The pattern reads names of time zones, which are ambiguous."""


class ZoneNeeded(FormatError):
    """The format says no offset, and no zone was given."""


class ZoneNotNeeded(FormatError):
    """A zone was given for a format that says the offset."""


class ZoneUnknown(FormatError):
    """The machine knows no such time zone."""


class UnreadableTime(ValueError):
    """A value that is no time of the format."""


class NoOffset(UnreadableTime):
    """A local time, and no zone was given."""


class ClocksChanged(UnreadableTime):
    """A local time that a change of the clocks repeats or skips."""


class ClockChange(StrEnum):
    """What a local time means that a change of the clocks repeats or skips."""

    REFUSE = "refuse"
    EARLIER = "earlier"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """One way of writing times; `parse_time_format` makes it."""

    read: Callable[[object], datetime]
    """Raises ValueError with what is wrong; a naive result is a local time."""
    zone: ZoneInfo | None = None
    clock_change: ClockChange = ClockChange.REFUSE

    def instant(self, value: object) -> datetime:
        """Return the instant that `value` names, in UTC.

        Raises:
            UnreadableTime: it names none, or two of them.
        """
        try:
            at = self.read(value)
            return at.astimezone(UTC) if at.tzinfo else self._of_local(at)
        except UnreadableTime:
            raise
        except (ValueError, OverflowError) as err:
            raise UnreadableTime(str(err)) from err

    def _of_local(self, local: datetime) -> datetime:
        if self.zone is None:
            raise NoOffset(f"{local.isoformat()} has no offset")
        # PEP 495: the two readings differ only where the clocks change.
        first = local.replace(tzinfo=self.zone, fold=0).astimezone(UTC)
        second = local.replace(tzinfo=self.zone, fold=1).astimezone(UTC)
        if first == second:
            return first
        if self.clock_change is ClockChange.REFUSE:
            what = "happened twice" if first < second else "never happened"
            raise ClocksChanged(
                f"{local.isoformat()} {what} in {self.zone.key}: the clocks changed"
            )
        earlier, later = sorted((first, second))
        return earlier if self.clock_change is ClockChange.EARLIER else later


def parse_time_format(
    name: str, zone: str | None = None, clock_change: ClockChange = ClockChange.REFUSE
) -> TimeFormat:
    """Return the format `rfc3339`, `epoch_s`, `epoch_ms`, `epoch_us`, `epoch_ns`, or a pattern.

    zone: where times without an offset were read; an IANA name.

    Raises:
        FormatError: the format or the zone is wrong, or the zone is missing or has nothing to say.
    """
    tz = None if zone is None else _zone(zone)
    if name == RFC3339:
        return TimeFormat(_iso, tz, clock_change)
    if name in _UNITS_US:
        if zone is not None:
            raise ZoneNotNeeded("counts from 1970 in UTC")
        return TimeFormat(_epoch_reader(_UNITS_US[name]))
    return _pattern_format(name, tz, clock_change)


def rfc3339_text(at: datetime) -> str:
    """Return an instant in UTC with all the digits that it has, milliseconds at least."""
    spec = "microseconds" if at.microsecond % 1000 else "milliseconds"
    return at.astimezone(UTC).isoformat(timespec=spec).replace("+00:00", "Z")


def _pattern_format(pattern: str, zone: ZoneInfo | None, change: ClockChange) -> TimeFormat:
    has_offset = _check_pattern(pattern)
    if has_offset and zone is not None:
        raise ZoneNotNeeded("has an offset (%z)")
    if not has_offset and zone is None:
        raise ZoneNeeded(f"{pattern!r} has no offset")

    def read(value: object) -> datetime:
        try:
            return datetime.strptime(str(value), pattern)  # noqa: DTZ007 - local, by intention
        except ValueError as err:
            raise ValueError(f"it is not of the form {pattern}") from err

    return TimeFormat(read, zone, change)


def _check_pattern(pattern: str) -> bool:
    """Return whether the pattern holds an offset."""
    if "%Z" in pattern.replace("%%", ""):
        raise ZoneNames(f"{pattern!r}: names of time zones are ambiguous (%Z)")
    try:
        seen = datetime.strptime(_PROBE.strftime(pattern), pattern)  # noqa: DTZ007
    except ValueError as err:
        raise FormatError(f"{pattern!r}: {err}") from err
    if seen.date() != _PROBE.date():
        raise FormatError(f"{pattern!r} does not say the day")
    return seen.tzinfo is not None


def _iso(value: object) -> datetime:
    text = str(value)
    try:
        return parse_rfc3339(text)
    except RejectedRecord:
        try:
            # The same instant as the contract would read, had the text an offset.
            return parse_rfc3339(f"{text}Z").replace(tzinfo=None)
        except RejectedRecord as err:
            raise ValueError("it is not RFC 3339, with or without an offset") from err


def _epoch_reader(unit_us: Decimal) -> Callable[[object], datetime]:
    def read(value: object) -> datetime:
        try:
            # By way of its text: a float's shortest form is what the sender wrote.
            number = Decimal(str(value).strip())
            return _EPOCH + timedelta(microseconds=int(number * unit_us // 1))
        except (InvalidOperation, OverflowError, ValueError) as err:
            raise ValueError("it is not a number of that unit since 1970") from err

    return read


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as err:
        raise ZoneUnknown(f"{name!r}: this machine knows no such time zone") from err
