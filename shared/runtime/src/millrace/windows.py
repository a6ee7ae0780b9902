"""Hour and day windows of event time, UTC, half-open."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum


class WindowWidth(StrEnum):
    """How wide a window is; the value is its name in settings and queries."""

    HOUR = "hour"
    DAY = "day"

    @property
    def span(self) -> timedelta:
        """The window's length."""
        return timedelta(hours=1) if self is WindowWidth.HOUR else timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """One hour or day: `start <= event_time < end`."""

    start: datetime
    width: WindowWidth

    @property
    def end(self) -> datetime:
        """The first instant after the window."""
        return self.start + self.width.span

    @property
    def label(self) -> str:
        """`HOUR#2015-09-12T13` or `DAY#2015-09-12`: sorts by time within one width."""
        if self.width is WindowWidth.HOUR:
            return f"HOUR#{hour_label(self.start)}"
        return f"DAY#{self.start.date().isoformat()}"


def window_of(at: datetime, width: WindowWidth) -> Window:
    """Return the window of `width` that holds the instant `at`."""
    start = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return Window(start if width is WindowWidth.HOUR else start.replace(hour=0), width)


def hour_label(at: datetime) -> str:
    """Return `2015-09-12T13` for any instant in that UTC hour."""
    return at.astimezone(UTC).isoformat(timespec="hours")[:13]
