"""When an entity or a source was silent, though by its own rhythm it should not have been."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from millrace.clock import Clock
from millrace.index import days_within, entity_bucket, unpack_entries
from millrace.investigate.errors import InvalidQuestion
from millrace.investigate.ports import IndexBodies
from millrace.investigate.quiet import QuietHour, quiet_hours
from millrace.investigate.rhythm import Interval, Rates, Rhythm, intervals
from millrace.investigate.walking import Period
from millrace.read_cost import Bound, Budget
from millrace.times import format_ms, from_epoch_ms, to_epoch_ms

HISTORY = timedelta(days=7)
"""Before the period: what the rhythm is learnt from as well."""
NO_RHYTHM = (
    "too few bursts of events to know a rhythm: ask for a longer period, or say how long a silence "
    "has to be (--longer-than)"
)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose events: an entity's, or a source's."""

    entity_id: str | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        if (self.entity_id is None) == (self.source is None):
            raise InvalidQuestion("entity", "name an entity or a source, and not both")

    def buckets(self, count: int) -> Sequence[int]:
        """Return the index's buckets that may hold its events."""
        if self.entity_id is None:
            return range(count)
        return [entity_bucket(self.entity_id, count)]


@dataclass(frozen=True, slots=True)
class Silence:
    """A time without an event."""

    interval: Interval
    by_chance: float | None
    """Silences so long that chance makes in the whole span; None if there is no rhythm."""

    def as_json(self) -> dict[str, Any]:
        """Return the silence for JSON."""
        interval = self.interval
        return {
            "from": format_ms(from_epoch_ms(interval.begin_ms)),
            "to": format_ms(from_epoch_ms(interval.end_ms)),
            "duration_s": interval.duration_ms / 1000,
            "open": interval.open,
            "usual_events": round(interval.expected, 2),
            "by_chance": _rounded(self.by_chance),
        }


@dataclass(frozen=True, slots=True)
class GapReport:
    """The answer."""

    subject: Subject
    period: Period
    learnt_from: datetime
    """Where the span begins that the rhythm is learnt from."""
    events: int
    """Within that span, repetitions left out."""
    rhythm: Rhythm | None
    silences: tuple[Silence, ...]
    """In order."""
    quiet: tuple[QuietHour, ...]
    note: str = ""
    ended_by: Bound | None = None
    covered_to: datetime | None = None
    """Where the answer ends if the budget ended it: ask again from there."""

    def as_json(self) -> dict[str, Any]:
        """Return the report for JSON."""
        rhythm = self.rhythm
        return {
            "entity_id": self.subject.entity_id,
            "source": self.subject.source,
            "coverage": self.period.as_json()
            | {
                "complete": self.ended_by is None,
                "ended_by": self.ended_by,
                "covered_to": format_ms(self.covered_to) if self.covered_to else None,
            },
            "learnt_from": format_ms(self.learnt_from),
            "events": self.events,
            "rhythm": None
            if rhythm is None
            else {
                "burst_size": round(rhythm.burst_size, 2),
                "longest_ordinary_silence_in_usual_events": round(rhythm.longest_ordinary, 2),
            },
            "silences": [each.as_json() for each in self.silences],
            "quiet_hours": [
                {
                    "hour": format_ms(from_epoch_ms(each.begin_ms)),
                    "events": each.events,
                    "usual_events": each.usual,
                    "by_chance": _rounded(each.by_chance),
                }
                for each in self.quiet
            ],
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Gaps:
    """The use case. An entity's day is one partition of the index, a source's day all of them."""

    index: IndexBodies
    clock: Clock

    def report(
        self,
        subject: Subject,
        period: Period,
        budget: Budget,
        *,
        longer_than: timedelta | None = None,
        history: timedelta = HISTORY,
    ) -> GapReport:
        """Return the silences that reach into a period, and its unusually quiet hours.

        longer_than: report every silence longer than this, ordinary or not.

        Raises:
            InvalidQuestion: a bound is not positive.
        """
        if longer_than is not None and longer_than <= timedelta(0):
            raise InvalidQuestion("longer_than", "give a duration above 0, as 30m or 2h")
        if history < timedelta(0):
            raise InvalidQuestion("history", "give 0 days or more")
        read = self._read(subject, period, history, budget)
        span = _Span.of(read, period, min(read.until, self.clock.now()))
        report = span.report(subject, longer_than)
        if read.ended_by is None:
            return report
        return _cut(report, read)

    def _read(
        self, subject: Subject, period: Period, history: timedelta, budget: Budget
    ) -> "_Read":
        """Read day by day until the period ends, or the budget."""
        begin = period.start - history
        first_ms, end_ms = to_epoch_ms(begin), to_epoch_ms(period.end)
        days = days_within(begin, period.end)
        counts = self.index.bucket_counts(days)
        read = _Read([], period.end)
        for day in days:
            bound = budget.spent
            if bound is not None and day > days[0]:
                read.ended_by, read.until = bound, _midnight(day)
                break
            times_ms = self._of_day(subject, day, counts.get(day, 0))  # days follow each other
            read.times_ms += (at_ms for at_ms in times_ms if first_ms <= at_ms < end_ms)
        return read

    def _of_day(self, subject: Subject, day: date, buckets: int) -> list[int]:
        times = [
            to_epoch_ms(entry.event_time)
            for bucket in (subject.buckets(buckets) if buckets else ())
            for body in self.index.bodies(day, bucket)
            for entry in unpack_entries(body, subject.entity_id)
            if not entry.duplicate and subject.source in (None, entry.source)
        ]
        return sorted(times)


@dataclass(slots=True)
class _Read:
    times_ms: list[int]
    until: datetime
    ended_by: Bound | None = None


@dataclass(frozen=True, slots=True)
class _Span:
    """When a subject was observed, and what it did meanwhile."""

    times_ms: Sequence[int]
    begin_ms: int
    end_ms: int
    period: Period

    @classmethod
    def of(cls, read: _Read, period: Period, until: datetime) -> "_Span":
        # It is not known before its first event: nothing before that is a silence.
        end_ms = max(to_epoch_ms(until), read.times_ms[-1] if read.times_ms else 0)
        begin_ms = read.times_ms[0] if read.times_ms else end_ms
        return cls(read.times_ms, begin_ms, end_ms, period)

    def report(self, subject: Subject, longer_than: timedelta | None) -> GapReport:
        rates = Rates(self.times_ms, self.begin_ms, self.end_ms)
        found = list(intervals(self.times_ms, rates, self.end_ms))
        rhythm = Rhythm.of(found)
        note = "" if rhythm or longer_than else NO_RHYTHM
        if not self.times_ms:
            note = "no event at all: check the name, and the times (event times, UTC)"
        return GapReport(
            subject,
            self.period,
            from_epoch_ms(self.begin_ms),
            len(self.times_ms),
            rhythm,
            tuple(self._silences(found, rhythm, longer_than)),
            tuple(self._quiet(rhythm)),
            note,
        )

    def _silences(
        self, found: Sequence[Interval], rhythm: Rhythm | None, longer_than: timedelta | None
    ) -> Iterator[Silence]:
        for each in found:
            if longer_than is not None:
                wanted = each.duration_ms > longer_than / timedelta(milliseconds=1)
            else:
                wanted = rhythm is not None and each.expected > rhythm.longest_ordinary
            if wanted and self._reaches_in(each):
                yield Silence(each, rhythm.by_chance(each.expected) if rhythm else None)

    def _reaches_in(self, each: Interval) -> bool:
        start_ms, end_ms = to_epoch_ms(self.period.start), to_epoch_ms(self.period.end)
        return each.end_ms > start_ms and each.begin_ms < end_ms

    def _quiet(self, rhythm: Rhythm | None) -> Iterator[QuietHour]:
        if rhythm is not None:
            for hour in quiet_hours(self.times_ms, self.begin_ms, self.end_ms, rhythm.burst_size):
                if hour.begin_ms >= to_epoch_ms(self.period.start):
                    yield hour


def _cut(report: GapReport, read: _Read) -> GapReport:
    """Return the answer of a reading that ended early: what is open there may only be unread."""
    covered = read.until > report.period.start
    return GapReport(
        report.subject,
        report.period,
        report.learnt_from,
        report.events,
        report.rhythm,
        tuple(each for each in report.silences if not each.interval.open) if covered else (),
        report.quiet if covered else (),
        report.note if covered else "the budget ended within the history: allow more pages",
        read.ended_by,
        read.until if covered else report.period.start,
    )


def _midnight(day: date) -> datetime:
    return from_epoch_ms((day - date(1970, 1, 1)).days * 86_400_000)


def _rounded(chance: float | None) -> float | None:
    """Return a chance to three digits."""
    return None if chance is None else float(f"{chance:.3g}")
