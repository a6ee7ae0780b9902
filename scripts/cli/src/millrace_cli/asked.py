"""What people write on the command line of an investigation: periods and durations."""

import re
from datetime import datetime, timedelta

from millrace.investigate.walking import Period
from millrace_cli.aggregates import parse_instant
from millrace_cli.errors import CommandError, ExitCode

_DURATION = re.compile(r"(\d{1,6})(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_period(
    start: str | None, end: str | None, *, now: datetime, default: timedelta
) -> Period:
    """Return the period; without an end it ends now, without a start it is `default` long.

    Raises:
        CommandError: a time is malformed, or the period is empty.
    """
    last = parse_instant(end, "--to") if end else now
    first = parse_instant(start, "--from") if start else last - default
    if first >= last:
        raise CommandError(
            "--to is not after --from", "the period ends before --to", ExitCode.USAGE
        )
    return Period(first, last)


def parse_since(text: str, now: datetime) -> datetime:
    """Return the instant that a duration before `now` (`24h`, `7d`) or a time names.

    Raises:
        CommandError: it is neither, or not before now.
    """
    found = _DURATION.fullmatch(text)
    since = now - parse_duration(text, "--since") if found else parse_instant(text, "--since")
    if since >= now:
        raise CommandError(
            f"--since {text!r} is not in the past", "write it like 24h or 7d", ExitCode.USAGE
        )
    return since


def parse_duration(text: str, option: str) -> timedelta:
    """Return the duration in `90s`, `30m`, `2h` or `7d`.

    Raises:
        CommandError: it is none of them.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise CommandError(
            f"{option} {text!r} is no duration", "write it like 90s, 30m, 2h or 7d", ExitCode.USAGE
        )
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
