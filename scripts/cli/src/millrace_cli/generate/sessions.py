"""What the users did: sessions on the web and in the app, invoices, by the rhythm of the day."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from millrace.times import format_ms, from_epoch_ms, to_epoch_ms
from millrace_cli.generate.draws import Draws, Weighted, shares
from millrace_cli.generate.plan import Plan
from millrace_cli.generate.population import (
    BILLING,
    MOBILE,
    REGULARS,
    SOURCE_WEIGHTS,
    SOURCES,
    WEB,
    Population,
    User,
)

# Events by hour of the day (UTC), of 1,000: quiet at night, most in the evening.
_RHYTHM = (14, 10, 8, 7, 8, 12, 20, 32, 44, 52, 56, 58,
           60, 58, 56, 55, 56, 60, 66, 72, 70, 56, 42, 28)  # fmt: skip
_WORKDAY, _WEEKEND = 10, 8
_SATURDAY = 5
_REGULARS_FROM_HOUR = 8
_HOUR_MS = 3_600_000
_MAX_SESSION_MS = _HOUR_MS // 2
_BASE_CONVERSION_PERCENT = 8
_LENGTHS = Weighted((1, 2, 3, 4, 6, 9, 14, 25), (20, 22, 18, 14, 12, 8, 4, 2))
_STEPS = Weighted(("page_view", "click", "search", "add_to_cart"), (50, 30, 12, 8))
_BILLS = Weighted(("invoice_paid", "invoice_failed", "refund"), (88, 7, 5))
_PAGES = ("/", "/new", "/sale", "/shoes", "/coats", "/basket", "/help")
_TERMS = ("running shoes", "winter coat", "gift card", "größe 42", "café tasse")
_VERSIONS = ("4.1.0", "4.2.0", "4.2.1")


@dataclass(frozen=True, slots=True)
class SampleEvent:
    """One event as its source wrote it down."""

    at_ms: int
    source: str
    entity_id: str
    event_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Step:
    event_type: str
    payload: Mapping[str, object]


class SessionWriter:
    """Writes down one sample's sessions; numbers them, so that no two events are equal."""

    def __init__(self, plan: Plan, population: Population) -> None:
        self._plan = plan
        self._population = population
        self._draws = Draws(plan.seed, "sessions")
        self._sessions = 0

    def events(self) -> list[SampleEvent]:
        """Return exactly the planned number of events, in order of event time."""
        hours = [
            self._plan.begin + timedelta(hours=number) for number in range(24 * self._plan.days)
        ]
        cells = [(hour, source) for hour in hours for source in SOURCES]
        weights = [
            _RHYTHM[hour.hour] * (_WEEKEND if hour.weekday() >= _SATURDAY else _WORKDAY) * weight
            for hour in hours
            for weight in SOURCE_WEIGHTS
        ]
        quotas = shares(self._plan.events, weights)
        found = [
            event
            for (hour, source), quota in zip(cells, quotas, strict=True)
            for event in self._hour(hour, source, quota)
        ]
        return sorted(found, key=lambda event: event.at_ms)  # stable: equal times keep their order

    def _hour(self, hour: datetime, source: str, quota: int) -> Iterator[SampleEvent]:
        """Yield `quota` events of `source`, the first of each session within `hour`."""
        regular = hour.hour - _REGULARS_FROM_HOUR
        while quota > 0:
            user = self._population.draw(self._draws)
            if source == WEB and 0 <= regular < REGULARS:
                user, regular = self._population.users[regular], -1
            steps = self._steps(source, user, hour)[:quota]
            quota -= len(steps)
            yield from self._session(source, user, hour, steps)

    def _steps(self, source: str, user: User, hour: datetime) -> list[_Step]:
        draws = self._draws
        if source == BILLING:
            cents = draws.between(500, 20_000)
            return [_Step(_BILLS.draw(draws), {"amount": cents / 100, "currency": "EUR"})]
        first = "app_open" if source == MOBILE else "session_start"
        opening = {"version": draws.choice(_VERSIONS)} if source == MOBILE else {"page": "/"}
        steps = [_Step(first, opening)]
        steps += [
            _Step(
                "exposure", {"experiment": each.experiment.experiment_id, "variant": each.variant}
            )
            for each in user.assignments
            if each.assigned_at <= hour
        ]
        steps += [self._step(_STEPS.draw(draws)) for _ in range(_LENGTHS.draw(draws))]
        if draws.chance(_conversion_percent(user, hour)):
            value = draws.between(1_000, 15_000) / 100
            steps += [
                _Step("checkout", {"items": draws.between(1, 5)}),
                _Step("conversion", {"value": value, "currency": "EUR"}),
            ]
        return steps

    def _step(self, event_type: str) -> _Step:
        if event_type == "search":
            return _Step(event_type, {"term": self._draws.choice(_TERMS)})
        return _Step(event_type, {"page": self._draws.choice(_PAGES)})

    def _session(
        self, source: str, user: User, hour: datetime, steps: list[_Step]
    ) -> Iterator[SampleEvent]:
        self._sessions += 1
        session = f"{self._plan.tag}-{self._sessions}"
        pauses = [self._pause_ms() for _ in steps[1:]]
        scale = max(1, -(-sum(pauses) // _MAX_SESSION_MS))  # long ones in haste
        latest = to_epoch_ms(self._plan.end) - 1 - sum(pauses) // scale
        at_ms = min(to_epoch_ms(hour) + self._draws.below(_HOUR_MS), latest)
        for number, (step, pause_ms) in enumerate(zip(steps, [*pauses, 0], strict=True)):
            yield SampleEvent(
                at_ms,
                source,
                user.entity_id,
                step.event_type,
                _body(at_ms, source, user, step, (session, number)),
            )
            at_ms += pause_ms // scale

    def _pause_ms(self) -> int:
        longest_s = 300 if self._draws.chance(10) else 40
        return self._draws.between(1_000, longest_s * 1_000)


def _conversion_percent(user: User, hour: datetime) -> int:
    """Return how likely a session ends in a purchase: the mean over the user's variants."""
    seen = [
        each.experiment.conversion_percent[each.variant]
        for each in user.assignments
        if each.assigned_at <= hour
    ]
    return sum(seen) // len(seen) if seen else _BASE_CONVERSION_PERCENT


def _body(at_ms: int, source: str, user: User, step: _Step, place: tuple[str, int]) -> bytes:
    """Return the event's line; each source says in its own way when two records are one event."""
    session, number = place
    event: dict[str, object] = {
        "event_type": step.event_type,
        "entity_id": user.entity_id,
        "event_time": format_ms(from_epoch_ms(at_ms)),
        "source": source,
        "client_id": user.client_id,
    }
    if source == BILLING:
        event["event_id"] = f"bill/{session}"
    elif source == MOBILE:
        event["idempotency_key"] = f"{session}#{number}"
        event["correlation_id"] = session
    # The web's events bring no id: their content is it.
    event["payload"] = {**step.payload, "session": session, "n": number}
    # A copy of its own: orjson's result keeps a buffer of 1 KiB alive, and these live long.
    return bytes(bytearray(orjson.dumps(event)))
