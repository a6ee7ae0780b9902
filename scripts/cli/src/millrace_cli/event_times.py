"""Event times as senders write them, turned into RFC 3339 in UTC: `--time-format`, `--tz`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from millrace.time_formats import (
    FORMATS,
    RFC3339,
    ClockChange,
    ClocksChanged,
    FormatError,
    NoOffset,
    TimeFormat,
    UnreadableTime,
    ZoneNames,
    ZoneNeeded,
    ZoneNotNeeded,
    ZoneUnknown,
    parse_time_format,
    rfc3339_text,
)
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.rows import BadRow

__all__ = ["ClockChange", "TimeReader", "parse_time_options"]

_SAY_TZ = "say with --tz where its clock was: --tz UTC, --tz Europe/Berlin"


@dataclass(frozen=True, slots=True)
class TimeReader:
    """Reads one kind of event times; `parse_time_options` makes it."""

    form: TimeFormat

    def apply(self, event: Mapping[str, object], line: int) -> dict[str, object]:
        """Return `event` with its time in RFC 3339, UTC; without one it stays as it is.

        Raises:
            BadRow: the time cannot be read, or names no instant or two of them.
        """
        changed = dict(event)
        if (value := event.get("event_time")) is not None:
            changed["event_time"] = rfc3339_text(self._instant(value, line))
        return changed

    def _instant(self, value: object, line: int) -> datetime:
        try:
            return self.form.instant(value)
        except NoOffset as err:
            raise BadRow(line, f"event_time {err}", _SAY_TZ) from err
        except ClocksChanged as err:
            remedy = "say --clock-change earlier or later, or correct the row"
            raise BadRow(line, f"event_time {err}", remedy) from err
        except UnreadableTime as err:
            remedy = "correct the row, or see --time-format"
            raise BadRow(line, f"event_time {repr(value)[:64]}: {err}", remedy) from err


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
    try:
        return TimeReader(parse_time_format(time_format or RFC3339, zone, clock_change))
    except ZoneNotNeeded as err:
        problem = f"--tz {zone} with --time-format {time_format}, which {err}"
        raise _usage(problem, "leave --tz out") from err
    except ZoneUnknown as err:
        remedy = (
            "give a name like UTC or Europe/Berlin; if none is known, install the system's tzdata"
        )
        raise _usage(f"--tz {err}", remedy) from err
    except FormatError as err:
        raise _usage(f"--time-format {err}", _remedy(err)) from err


def _remedy(err: FormatError) -> str:
    if isinstance(err, ZoneNeeded):
        return _SAY_TZ
    if isinstance(err, ZoneNames):
        return "leave the name out of the pattern and say --tz"
    return FORMATS


def _usage(problem: str, remedy: str) -> CommandError:
    return CommandError(problem, remedy, ExitCode.USAGE)
