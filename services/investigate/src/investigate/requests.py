"""What clients ask: the models of each route's query, of which the OpenAPI document is made."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from investigate.domain.refusals import RefusalKind
from millrace.event import UNKNOWN_SOURCE
from millrace.investigate.errors import InvalidQuestion
from millrace.investigate.walking import Period
from millrace.problems import Refusal, faults_of
from millrace.windows import WindowWidth

MAX_PAGES = 1_000
MAX_LISTED = 1_000
MAX_CURSOR_CHARACTERS = 1_000
LONGEST_PERIOD = timedelta(days=3_660)
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_DURATION = re.compile(r"([0-9]{1,5})(s|m|h|d)")
_INSTANT_PATTERN = (
    r"^(19[7-9]|[2-8][0-9]{2})[0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"(T([01][0-9]|2[0-3])(:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?)?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])?)?$"
)
"""What a client should write; more of ISO 8601 is read."""
_SCOPE_PATTERN = (
    r"^((TYPE|SOURCE|ENTITY|CLIENT)#.+|EXPERIMENT#[^#]+#VARIANT#.+|PAYLOAD#[^#]+#VALUE#.+)$"
)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


def _instant(text: object) -> datetime:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError as err:
        raise ValueError("it is no time; write 2015-09-12, 2015-09-12T13 or RFC 3339") from err
    try:
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError as err:
        raise ValueError("it is beyond the years 1970 to 8999") from err
    if not _FIRST <= at < _LAST:
        raise ValueError("it is beyond the years 1970 to 8999")
    return at


def _duration(text: object) -> timedelta:
    match = _DURATION.fullmatch(str(text))
    if match is None:
        raise ValueError("it is no duration; write it like 90s, 30m, 2h or 7d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _day(text: object) -> date:
    return _instant(text).date()


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": _INSTANT_PATTERN,
            "examples": ["2015-09-12T13", "2015-09-12T13:05:00Z"],
        }
    ),
]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$"}),
]
Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date"}),
]
SourceName = Annotated[str, Field(pattern=r"^[a-z0-9_.-]{1,64}$")]
TypeName = Annotated[str, Field(min_length=1, max_length=128)]
Cursor = Annotated[str, Field(min_length=1, max_length=MAX_CURSOR_CHARACTERS)]


class _Query(BaseModel):
    # A name that is not known is a mistake, never ignored.
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    max_pages: Annotated[int, Field(ge=1, le=MAX_PAGES)] = MAX_PAGES
    """Read at most about so many query pages and objects; what was left out is said."""


class StatusQuery(_Query):
    """GET /status."""

    since: Annotated[Duration, Field(json_schema_extra={"default": "24h"})] = _DAY
    """Count what arrived in so long; what is unfinished, discarded or dead counts anyway."""

    def window_start(self, now: datetime) -> datetime:
        """Return since when. Raises: InvalidQuestion: longer ago than LONGEST_PERIOD."""
        if self.since > LONGEST_PERIOD:
            raise InvalidQuestion("since", f"ask about {LONGEST_PERIOD.days:,} days at most")
        return now - self.since


class EventQuery(_Query):
    """GET /events/{id}."""

    source: SourceName = UNKNOWN_SOURCE
    """Who sent it."""
    entity: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    """Its entity, for an id that the gate has forgotten; with `day`."""
    day: Day | None = None
    """The day of its event time (UTC); with `entity`."""
    all_copies: bool = False
    """Look for copies with another entity or day too: reads all commits since."""


class _Times(_Query):
    start: Annotated[Instant | None, Field(alias="from")] = None
    end: Annotated[Instant | None, Field(alias="to")] = None

    def period(self, now: datetime, default: timedelta) -> Period:
        """Return the period; without `to` it ends now, without `from` it is `default` long.

        Raises:
            InvalidQuestion: it is empty, or longer than LONGEST_PERIOD.
        """
        end = self.end or now
        return self._bounded(Period(self.start or max(_FIRST, end - default), end))

    @staticmethod
    def _bounded(period: Period) -> Period:
        if period.end - period.start > LONGEST_PERIOD:
            raise InvalidQuestion("to", f"ask about {LONGEST_PERIOD.days:,} days at most")
        return period


class ArrivalQuery(_Times):
    """GET /sources: what arrived from `from` on and before `to`."""

    start: Annotated[Instant | None, Field(alias="from")] = None
    """First arrival, UTC; a day before `to`."""
    end: Annotated[Instant | None, Field(alias="to")] = None
    """Arrivals before this time; now."""
    cursor: Cursor | None = None
    """Go on where an answer ended that said so; with the same `from` and `to`."""

    def arrivals(self, now: datetime) -> Period:
        """Return the period. Raises: InvalidQuestion: as `period`."""
        return self.period(now, _DAY)


class LagQuery(ArrivalQuery):
    """GET /lag."""

    source: SourceName | None = None
    """Events of this source only."""
    event_type: Annotated[TypeName | None, Field(alias="type")] = None
    """Events of this type only."""


class ListedQuery(ArrivalQuery):
    """GET /duplicates and GET /late."""

    source: SourceName | None = None
    """Events of this source only."""
    listed: Annotated[int, Field(alias="list", ge=0, le=MAX_LISTED)] = 20
    """Name so many events."""


class EntityEventsQuery(_Times):
    """GET /entities/{id}/events."""

    start: Annotated[Instant, Field(alias="from")]
    """First event time, UTC."""
    end: Annotated[Instant | None, Field(alias="to")] = None
    """Events before this time; a day after `from`."""
    source: SourceName | None = None
    """Of this source only."""
    event_type: Annotated[TypeName | None, Field(alias="type")] = None
    """Of this type only."""
    duplicates: bool = False
    """List repetitions too, marked."""
    payload: bool = False
    """Read each event's payload: one read more for each."""
    limit: Annotated[int, Field(ge=1, le=MAX_LISTED)] = 100
    """Events at most."""
    cursor: Cursor | None = None
    """Go on where an answer ended; with the same question."""

    def event_times(self) -> Period:
        """Return the period. Raises: InvalidQuestion: as `period`."""
        return self._bounded(Period(self.start, self.end or self.start + _DAY))


class GapsQuery(_Times):
    """GET /entities/{id}/gaps."""

    start: Annotated[Instant | None, Field(alias="from")] = None
    """First event time, UTC; a week before `to`."""
    end: Annotated[Instant | None, Field(alias="to")] = None
    """Event times before this; now."""
    longer_than: Duration | None = None
    """Every silence longer than this (30m, 2h, 1d), usual or not."""
    history: Annotated[Duration, Field(json_schema_extra={"default": "7d"})] = _WEEK
    """How long before `from` the rhythm is learnt from."""

    def event_times(self, now: datetime) -> Period:
        """Return the period. Raises: InvalidQuestion: as `period`."""
        period = self.period(now, _WEEK)
        if self.history > min(LONGEST_PERIOD, period.start - _FIRST):
            raise InvalidQuestion("history", "it reaches too far back; ask for less")
        return period


class AggregatesQuery(_Query):
    """GET /aggregates."""

    scope: Annotated[
        str,
        Field(min_length=1, max_length=2_048, json_schema_extra={"pattern": _SCOPE_PATTERN}),
    ]
    """KIND#id: TYPE#edit, SOURCE#web, ENTITY#user_1, CLIENT#acme, EXPERIMENT#e1#VARIANT#A,
    PAYLOAD#page.country#VALUE#de."""
    window: WindowWidth = WindowWidth.HOUR
    """Width of the windows."""
    metric: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """This metric only."""
    start: Annotated[Instant | None, Field(alias="from")] = None
    """First window."""
    end: Annotated[Instant | None, Field(alias="to")] = None
    """Windows that start before this time."""
    version: Annotated[str, Field(pattern=r"^(live|all|[0-9]{1,12})$")] = "live"
    """live, the version of a replay, or all."""
    limit: Annotated[int, Field(ge=1, le=MAX_LISTED)] = 100
    """Rows at most."""
    cursor: Cursor | None = None
    """Go on where an answer ended; with the same question."""


Q = TypeVar("Q", bound=_Query)


def parse_query(model: type[Q], query: Mapping[str, str]) -> Q:
    """Return a route's query.

    Raises:
        Refusal: it is none; every faulty parameter is named.
    """
    try:
        return model.model_validate(query)
    except ValidationError as err:
        known = ", ".join(_names(model))
        faults = faults_of(err, f"there are {known}")
        names = ", ".join(sorted({fault.field for fault in faults}))
        raise Refusal(
            RefusalKind.INVALID, f"parameters that cannot be taken: {names}", faults
        ) from err


def _names(model: type[BaseModel]) -> list[str]:
    fields: Mapping[str, Any] = model.model_fields
    return [field.alias or name for name, field in fields.items()]
