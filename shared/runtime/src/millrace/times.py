"""Timestamps on the wire: RFC 3339 in, milliseconds in UTC out."""

import re
from datetime import UTC, datetime, timedelta

from millrace.errors import RejectedRecord
from millrace.reasons import RejectReason

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
# RFC 3339, section 5.6; the separator may be a space (its note), letters may be lower case.
_RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?P<offset>[Zz]|[+-]\d{2}:\d{2})?"
)


def parse_rfc3339(text: str) -> datetime:
    """Return the instant that `text` names, in UTC, cut to microseconds.

    Raises:
        RejectedRecord: not RFC 3339, no offset, or an instant that does not exist
            (leap seconds included: Python has no second 60).
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise RejectedRecord(
            RejectReason.TIME_NOT_RFC3339,
            f"event_time {text[:64]!r} is not RFC 3339; write it like 2025-12-28T09:30:00.000Z",
        )
    if match["offset"] is None:
        raise RejectedRecord(
            RejectReason.TIME_WITHOUT_OFFSET,
            f"event_time {text[:64]!r} has no offset; end it with Z or +hh:mm",
        )
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as err:
        raise RejectedRecord(
            RejectReason.TIME_NOT_RFC3339, f"event_time {text[:64]!r} does not exist: {err}"
        ) from err


def format_ms(at: datetime) -> str:
    """Return `at` in UTC with milliseconds, cut not rounded: `2015-09-12T00:46:58.771Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def whole_ms(at: datetime) -> datetime:
    """Return `at` in UTC as it comes back from where it is kept to the millisecond."""
    return from_epoch_ms(to_epoch_ms(at))


def from_epoch_ms(epoch_ms: int) -> datetime:
    """Return the instant `epoch_ms` milliseconds after 1970-01-01T00:00:00Z."""
    seconds, ms = divmod(epoch_ms, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=ms * 1000)


def to_epoch_ms(at: datetime) -> int:
    """Return whole milliseconds since 1970-01-01T00:00:00Z, cut toward the past."""
    return (at - _EPOCH) // _MS
