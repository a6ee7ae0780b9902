"""Event times as senders write them, turned into RFC 3339 in UTC: `--time-format`, `--tz`.

The result depends on the row and the options alone, but for one thing: what a local time means is
looked up in the machine's time zone database.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from millrace.errors import RejectedRecord
from millrace.times import parse_rfc3339
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.rows import BadRow

RFC3339 = "rfc3339"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS_US = {
    "epoch_s": Decimal(1_000_000),
    "epoch_ms": Decimal(1_000),
    "epoch_us": Decimal(1),
    "epoch_ns": Decimal("0.001"),
}
_FORMATS = (
    f"use {RFC3339}, {', '.join(_UNITS_US)}, or a strptime pattern with year, month and day, "
    "such as '%Y-%m-%d %H:%M:%S'"
)
_PROBE = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)


class ClockChange(StrEnum):
    """What a local time means that a change of the clocks repeats or skips."""

    REFUSE = "refuse"
    EARLIER = "earlier"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class TimeReader:
    """Reads one kind of event times; `parse_time_options` makes it."""

    read: Callable[[object], datetime]
    """Raises ValueError with what is wrong; a naive result is a local time."""
    zone: ZoneInfo | None = None
    clock_change: ClockChange = ClockChange.REFUSE

    def apply(self, event: Mapping[str, object], line: int) -> dict[str, object]:
        """Return `event` with its time in RFC 3339, UTC; without one it stays as it is.

        Raises:
            BadRow: the time cannot be read, or names no instant or two of them.
        """
        changed = dict(event)
        if (value := event.get("event_time")) is not None:
            changed["event_time"] = _rfc3339(self._instant(value, line))
        return changed

    def _instant(self, value: object, line: int) -> datetime:
        try:
            at = self.read(value)
            return at.astimezone(UTC) if at.tzinfo else self._of_local(at, line)
        except (ValueError, OverflowError) as err:
            shown = repr(value)[:64]
            raise BadRow(
                line, f"event_time {shown}: {err}", "correct the row, or see --time-format"
            ) from err

    def _of_local(self, local: datetime, line: int) -> datetime:
        if self.zone is None:
            raise BadRow(
                line,
                f"event_time {local.isoformat()} has no offset",
                "say with --tz where its clock was: --tz UTC, --tz Europe/Berlin",
            )
        # PEP 495: the two readings differ only where the clocks change.
        first = local.replace(tzinfo=self.zone, fold=0).astimezone(UTC)
        second = local.replace(tzinfo=self.zone, fold=1).astimezone(UTC)
        if first == second:
            return first
        if self.clock_change is ClockChange.REFUSE:
            what = "happened twice" if first < second else "never happened"
            raise BadRow(
                line,
                f"event_time {local.isoformat()} {what} in {self.zone.key}: the clocks changed",
                "say --clock-change earlier or later, or correct the row",
            )
        earlier, later = sorted((first, second))
        return earlier if self.clock_change is ClockChange.EARLIER else later


def parse_time_options(
    time_format: str | None, zone: str | None, clock_change: ClockChange = ClockChange.REFUSE
) -> TimeReader | None:
    """Return the reader that the options ask for; None if event times are RFC 3339 already.

    time_format: `rfc3339`, `epoch_s`, `epoch_ms`, `epoch_us`, `epoch_ns`, or a strptime pattern.

    Raises:
        CommandError: an option is wrong, or --tz is missing or has nothing to say.
    """
    if time_format is None and zone is None:
        return None
    tz = None if zone is None else _zone(zone)
    if time_format in {None, RFC3339}:
        return TimeReader(_iso, tz, clock_change)
    if time_format in _UNITS_US:
        _no_zone(time_format, zone, "counts from 1970 in UTC")
        return TimeReader(_epoch_reader(_UNITS_US[time_format]))
    return _pattern_reader(str(time_format), tz, clock_change)


def _pattern_reader(pattern: str, zone: ZoneInfo | None, change: ClockChange) -> TimeReader:
    has_offset = _check_pattern(pattern)
    if has_offset:
        _no_zone(pattern, zone.key if zone else None, "has an offset (%z)")
    elif zone is None:
        raise _usage(
            f"--time-format {pattern!r} has no offset",
            "say with --tz where its clock was: --tz UTC, --tz Europe/Berlin",
        )

    def read(value: object) -> datetime:
        try:
            return datetime.strptime(str(value), pattern)  # noqa: DTZ007 - local, by intention
        except ValueError as err:
            raise ValueError(f"it is not of the form {pattern}") from err

    return TimeReader(read, zone, change)


def _check_pattern(pattern: str) -> bool:
    """Return whether the pattern holds an offset."""
    if "%Z" in pattern.replace("%%", ""):
        raise _usage(
            f"--time-format {pattern!r}: names of time zones are ambiguous (%Z)",
            "leave the name out of the pattern and say --tz",
        )
    try:
        seen = datetime.strptime(_PROBE.strftime(pattern), pattern)  # noqa: DTZ007
    except ValueError as err:
        raise _usage(
            f"--time-format {pattern!r}: {err}",
            _FORMATS,
        ) from err
    if seen.date() != _PROBE.date():
        raise _usage(
            f"--time-format {pattern!r} does not say the day",
            _FORMATS,
        )
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


def _rfc3339(at: datetime) -> str:
    spec = "microseconds" if at.microsecond % 1000 else "milliseconds"
    return at.isoformat(timespec=spec).replace("+00:00", "Z")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as err:
        raise _usage(
            f"--tz {name!r}: this machine knows no such time zone",
            "give a name like UTC or Europe/Berlin; if none is known, install the system's tzdata",
        ) from err


def _no_zone(time_format: object, zone: str | None, why: str) -> None:
    if zone is not None:
        raise _usage(f"--tz {zone} with --time-format {time_format}, which {why}", "leave --tz out")


def _usage(problem: str, remedy: str) -> CommandError:
    return CommandError(problem, remedy, ExitCode.USAGE)
