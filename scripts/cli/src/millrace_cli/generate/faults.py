"""What goes wrong between the sources and the stream: gaps, late events, duplicates, garbage."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import cycle

from millrace.reasons import RejectReason
from millrace.times import from_epoch_ms, to_epoch_ms
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.generate.draws import Draws
from millrace_cli.generate.malformed import KINDS
from millrace_cli.generate.plan import (
    DUPLICATES_PERCENT,
    LATE_PERCENT,
    MALFORMED_PERCENT,
    MissingDay,
    Plan,
)
from millrace_cli.generate.sessions import SampleEvent

_HOUR_MS = 3_600_000
LATE_AFTER_MS = _HOUR_MS
"""Behind the source's highest event time: the pipeline's default `allowed_lateness_s`."""
_DELAY_MS = (2 * _HOUR_MS, 12 * _HOUR_MS)
_ON_TIME_MS = 90_000
_RESEND_MS = (1_000, 300_000)
_MARGIN_MS = 60_000


@dataclass(frozen=True, slots=True)
class Gap:
    """Events that a silence or a missing day took away."""

    name: str
    begin: datetime
    end: datetime
    removed: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One record on its way: when it arrives, and what it is. At most one of the last three."""

    at_ms: int
    event: SampleEvent
    data: bytes
    late: bool = False
    duplicate: bool = False
    rejected: RejectReason | None = None


def without_gaps(
    plan: Plan, events: Sequence[SampleEvent]
) -> tuple[list[SampleEvent], list[Gap], list[Gap]]:
    """Return what is left of `events`, the silences, and the missing days.

    Raises:
        CommandError: a gap lies outside the period, or there is nothing to take away.
    """
    kept = list(events)
    silent, missing = [], []
    for silence in plan.silences:
        begin, end = plan.window(silence)
        kept, removed = _cut(kept, begin, end, source=silence.source)
        silent.append(Gap(silence.source, begin, end, removed))
    for gap in plan.missing_days:
        begin, end = _day(plan, gap)
        kept, removed = _cut(kept, begin, end, entity_id=gap.entity_id)
        if not removed:
            raise CommandError(
                f"--missing-day {gap.entity_id}: it has no events on {begin:%Y-%m-%d} anyway",
                "name another day, or a busy entity such as user_1, or raise --events",
                ExitCode.USAGE,
            )
        missing.append(Gap(gap.entity_id, begin, end, removed))
    return kept, silent, missing


def _day(plan: Plan, gap: MissingDay) -> tuple[datetime, datetime]:
    day: date = gap.day or plan.middle_day
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return begin, from_epoch_ms(to_epoch_ms(begin) + 24 * _HOUR_MS)


def _cut(
    events: Sequence[SampleEvent],
    begin: datetime,
    end: datetime,
    *,
    source: str | None = None,
    entity_id: str | None = None,
) -> tuple[list[SampleEvent], int]:
    first, last = to_epoch_ms(begin), to_epoch_ms(end)
    kept = [
        event
        for event in events
        if not (
            first <= event.at_ms < last
            and (source is None or event.source == source)
            and (entity_id is None or event.entity_id == entity_id)
        )
    ]
    return kept, len(events) - len(kept)


def deliveries(plan: Plan, events: Sequence[SampleEvent]) -> list[Delivery]:
    """Return every record in order of arrival.

    Raises:
        CommandError: more late events, duplicates or malformed records are asked for than
            there are events to make them of.
    """
    late = _late(plan, events)
    on_time = [number for number in range(len(events)) if number not in late]
    draws = Draws(plan.seed, "network")
    firsts = [
        Delivery(late[n], event, event.body, late=True)
        if n in late
        else Delivery(event.at_ms + draws.below(_ON_TIME_MS), event, event.body)
        for n, event in enumerate(events)
    ]
    again = _duplicates(plan, [firsts[number] for number in on_time])
    bad = _malformed(plan, events)
    # Stable: with equal times a first delivery comes before its copy.
    return sorted([*firsts, *again, *bad], key=lambda delivery: delivery.at_ms)


def _late(plan: Plan, events: Sequence[SampleEvent]) -> dict[int, int]:
    """Return when each late event arrives, by its number.

    An event can only be late if its source is seen to be further on meanwhile: it waits until one
    that came in time is more than the allowed lateness ahead, which in a silence takes longer.
    """
    last_ms = {event.source: event.at_ms for event in events}
    candidates = [
        number
        for number, event in enumerate(events)
        if event.at_ms + _DELAY_MS[0] <= last_ms[event.source]
    ]
    draws = Draws(plan.seed, "late")
    wanted = plan.count(plan.late, LATE_PERCENT) if candidates else plan.late or 0
    _check("--late", wanted, len(candidates))
    chosen = [candidates[number] for number in draws.subset(wanted, len(candidates))]
    ahead = _times_in_order(events, set(chosen))
    arrivals: dict[int, int] = {}
    for number in chosen:
        event = events[number]
        times = ahead[event.source]
        beyond = times[bisect_left(times, event.at_ms + LATE_AFTER_MS + 1)]
        arrivals[number] = max(
            event.at_ms + draws.between(*_DELAY_MS), beyond + _ON_TIME_MS + _MARGIN_MS
        )
    return arrivals


def _times_in_order(events: Sequence[SampleEvent], late: set[int]) -> dict[str, list[int]]:
    times: dict[str, list[int]] = {}
    for number, event in enumerate(events):
        if number not in late:
            times.setdefault(event.source, []).append(event.at_ms)
    return times


def _duplicates(plan: Plan, firsts: Sequence[Delivery]) -> list[Delivery]:
    wanted = plan.count(plan.duplicates, DUPLICATES_PERCENT) if firsts else plan.duplicates or 0
    _check("--duplicates", wanted, len(firsts))
    draws = Draws(plan.seed, "duplicates")
    chosen = [firsts[number] for number in draws.subset(wanted, len(firsts))]
    return [
        Delivery(each.at_ms + draws.between(*_RESEND_MS), each.event, each.data, duplicate=True)
        for each in chosen
    ]


def _malformed(plan: Plan, events: Sequence[SampleEvent]) -> list[Delivery]:
    wanted = plan.count(plan.malformed, MALFORMED_PERCENT) if events else plan.malformed or 0
    _check("--malformed", wanted, len(events))
    draws = Draws(plan.seed, "malformed")
    models = [events[number] for number in draws.subset(wanted, len(events))]
    return [
        Delivery(
            model.at_ms + draws.below(_ON_TIME_MS), model, kind.spoil(model), rejected=kind.reason
        )
        for model, kind in zip(models, cycle(KINDS), strict=False)
    ]


def _check(option: str, wanted: int, available: int) -> None:
    if wanted > available:
        raise CommandError(
            f"{option} {wanted} is more than the {available} events that it can be made of",
            "raise --events or --days, or ask for fewer",
            ExitCode.USAGE,
        )
