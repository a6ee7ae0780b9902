"""What to generate: how much, from when on, and what is to go wrong."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b

from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.generate.population import SOURCES

DEFAULT_SEED = 1
DEFAULT_START = date(2025, 12, 28)
DEFAULT_EVENTS = 10_000
DEFAULT_DAYS = 7
MAX_EVENTS = 1_000_000
"""They are sorted by arrival in memory, 0.6 KB each (measured)."""
MAX_DAYS = 366
DUPLICATES_PERCENT = 2
LATE_PERCENT = 1
MALFORMED_PERCENT = 1
_BUSY_HOUR = 10
_MAX_SILENCE_H = 24 * MAX_DAYS


@dataclass(frozen=True, slots=True)
class Silence:
    """Hours in which a source sends nothing; `start` None is a busy hour in the middle."""

    source: str
    hours: int
    start: datetime | None = None


@dataclass(frozen=True, slots=True)
class MissingDay:
    """A UTC day on which an entity has no event; `day` None is the one in the middle."""

    entity_id: str
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """All options. The same plan gives the same bytes."""

    seed: int = DEFAULT_SEED
    events: int = DEFAULT_EVENTS
    """Different events before anything goes wrong: silences and missing days take some away."""
    days: int = DEFAULT_DAYS
    start: date = DEFAULT_START
    duplicates: int | None = None
    """Records sent a second time; None: 2 for every 100 events."""
    late: int | None = None
    """Events that arrive hours after their time; None: 1 for every 100."""
    malformed: int | None = None
    """Records that are no events, in addition; None: 1 for every 100."""
    silences: tuple[Silence, ...] = ()
    missing_days: tuple[MissingDay, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be generated.

        Raises:
            CommandError: an amount is out of bounds, or the period ends after the year 9998.
        """
        _bounded("--events", self.events, 1, MAX_EVENTS)
        _bounded("--days", self.days, 1, MAX_DAYS)
        for option, count in (
            ("--duplicates", self.duplicates),
            ("--late", self.late),
            ("--malformed", self.malformed),
        ):
            _bounded(option, count or 0, 0, MAX_EVENTS)
        if self.start.year > 9997 or self.start.year < 1970:
            raise CommandError(
                f"--start {self.start}: the year is out of bounds",
                "give a day from 1970-01-01 to 9997-12-31",
                ExitCode.USAGE,
            )

    @property
    def begin(self) -> datetime:
        """The first instant of the period."""
        return datetime(self.start.year, self.start.month, self.start.day, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first instant after the period."""
        return self.begin + timedelta(days=self.days)

    @property
    def middle_day(self) -> date:
        """The day in the middle of the period."""
        return self.start + timedelta(days=self.days // 2)

    @property
    def tag(self) -> str:
        """Eight characters in every id, so that ids of different samples never meet.

        The faults are not in it: the same events with other faults keep their ids.
        """
        base = f"{self.seed}/{self.events}/{self.days}/{self.start.isoformat()}"
        return blake2b(base.encode(), digest_size=4).hexdigest()

    def count(self, wanted: int | None, percent: int) -> int:
        """Return how many events a fault is for: what was asked for, else a share."""
        return self.events * percent // 100 if wanted is None else wanted

    def window(self, silence: Silence) -> tuple[datetime, datetime]:
        """Return when a silence begins and ends.

        Raises:
            CommandError: it is not wholly inside the period.
        """
        middle = self.begin + timedelta(days=self.days // 2, hours=_BUSY_HOUR)
        first = silence.start or middle
        last = first + timedelta(hours=silence.hours)
        if first < self.begin or last > self.end:
            raise CommandError(
                f"--silent-source {silence.source}: {first:%Y-%m-%dT%H} and {silence.hours} hours "
                "from then are not inside the generated days",
                f"these are {self.start} to {self.end.date() - timedelta(days=1)}",
                ExitCode.USAGE,
            )
        return first, last


def parse_silence(text: str) -> Silence:
    """Return the silence in `SOURCE:HOURS` or `SOURCE:HOURS:2025-12-30T10`.

    Raises:
        CommandError: it is neither, or names a source that there is not.
    """
    source, _, rest = text.partition(":")
    hours, _, start = rest.partition(":")
    if source not in SOURCES:
        raise CommandError(
            f"--silent-source {text!r}: there is no source {source!r}",
            f"name one of {', '.join(SOURCES)}",
            ExitCode.USAGE,
        )
    if not (hours.isdecimal() and 1 <= int(hours) <= _MAX_SILENCE_H):
        raise _malformed("--silent-source", text, "SOURCE:HOURS, or SOURCE:HOURS:2025-12-30T10")
    try:
        at = datetime.strptime(start, "%Y-%m-%dT%H").replace(tzinfo=UTC) if start else None
    except ValueError as err:
        raise _malformed("--silent-source", text, "SOURCE:HOURS:2025-12-30T10") from err
    return Silence(source, int(hours), at)


def parse_missing_day(text: str) -> MissingDay:
    """Return the gap in `ENTITY` or `ENTITY:2025-12-30`.

    Raises:
        CommandError: there is no entity in it, or what follows it is no day.
    """
    entity_id, _, day = text.partition(":")
    if not entity_id:
        raise _malformed("--missing-day", text, "ENTITY, or ENTITY:2025-12-30")
    try:
        return MissingDay(entity_id, date.fromisoformat(day) if day else None)
    except ValueError as err:
        raise _malformed("--missing-day", text, "ENTITY:2025-12-30") from err


def parse_start(text: str) -> date:
    """Return the first day.

    Raises:
        CommandError: it is no day.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as err:
        raise _malformed("--start", text, "a day: 2025-12-28") from err


def _bounded(option: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise CommandError(
            f"{option} {value} is out of bounds", f"give {low} to {high}", ExitCode.USAGE
        )


def _malformed(option: str, text: str, form: str) -> CommandError:
    return CommandError(f"{option} {text!r} cannot be read", f"write {form}", ExitCode.USAGE)
