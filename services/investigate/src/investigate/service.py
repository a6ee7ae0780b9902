"""What a request asks, of the use cases that the command asks as well."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from investigate.domain.refusals import RefusalKind
from investigate.requests import (
    AggregatesQuery,
    ArrivalQuery,
    EntityEventsQuery,
    EventQuery,
    GapsQuery,
    LagQuery,
    ListedQuery,
    StatusQuery,
)
from millrace.aggregates import AggregateRow, Scope, Version
from millrace.clock import Clock
from millrace.errors import ObjectMissing
from millrace.investigate.aggregates import AggregatePages, RowsAsked
from millrace.investigate.biographer import Biographer
from millrace.investigate.cockpit.commands import Commands
from millrace.investigate.cockpit.telling import Inspection
from millrace.investigate.duplicates import Duplicates
from millrace.investigate.errors import InvalidQuestion, NotFound
from millrace.investigate.finding import Wanted
from millrace.investigate.gaps import Gaps, Subject
from millrace.investigate.lag import lag_report
from millrace.investigate.late import LateEvents
from millrace.investigate.ports import CommitPages
from millrace.investigate.sources import Sources
from millrace.investigate.timeline import EventsAsked, Timeline
from millrace.investigate.unfinished import Unfinished, unfinished_report
from millrace.problems import refused_field
from millrace.read_cost import Budget, ReadCost

Told = dict[str, Any]
"""An answer for JSON."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The use cases, over their ports. `within_s` is how long a request may read."""

    biographer: Callable[[], Biographer]
    timeline: Callable[[], Timeline]
    """Both keep what they read: a new one for each request."""
    gaps: Gaps
    commits: CommitPages
    duplicates: Duplicates
    late: LateEvents
    sources: Sources
    aggregates: AggregatePages
    row_json: Callable[[AggregateRow], Told]
    scope_of: Callable[[str], Scope]
    """Raises ValueError."""
    unfinished: Unfinished
    inspect: Callable[[datetime, Budget], Inspection]
    """The cockpit: what arrived since then, and everything else as it is now."""
    commands: Commands
    cost: ReadCost
    clock: Clock

    def answer(self, ask: Callable[[], Told]) -> Told:
        """Return what a question below tells, and what it took to read.

        Raises:
            Refusal: it cannot be meant, or there is nothing to tell about.
        """
        before = replace(self.cost)
        try:
            told = ask()
        except InvalidQuestion as err:
            raise refused_field(RefusalKind.INVALID, err.field, err.problem) from err
        except NotFound as err:
            raise refused_field(RefusalKind.NOT_FOUND, "id", str(err)) from err
        except ObjectMissing as err:
            problem = f"it was there, and its object {err.key} is gone"
            raise refused_field(RefusalKind.NOT_FOUND, "id", problem) from err
        return told | {"read": self.cost.since(before).as_json()}

    def event(self, event_id: str, query: EventQuery, within_s: float) -> Told:
        """Return an event's biography. Raises: InvalidQuestion, NotFound, ObjectMissing."""
        if (query.entity is None) != (query.day is None):
            missing = "day" if query.day is None else "entity"
            raise InvalidQuestion(missing, "entity and day belong together; give both")
        wanted = Wanted(event_id, query.source, query.entity, query.day)
        budget = self._budget(query.max_pages, within_s)
        found = self.biographer().write(wanted, budget, all_copies=query.all_copies)
        return found.as_json()

    def events(self, entity_id: str, query: EntityEventsQuery, within_s: float) -> Told:
        """Return a page of an entity's events. Raises: InvalidQuestion."""
        asked = EventsAsked(
            entity_id, query.event_times(), query.source, query.event_type, query.duplicates
        )
        page = self.timeline().page(
            asked, self._budget(query.max_pages, within_s),
            limit=query.limit, cursor=query.cursor, payload=query.payload,
        )  # fmt: skip
        return page.as_json()

    def silences(self, entity_id: str, query: GapsQuery, within_s: float) -> Told:
        """Return an entity's silences. Raises: InvalidQuestion."""
        report = self.gaps.report(
            Subject(entity_id), query.event_times(self.clock.now()),
            self._budget(query.max_pages, within_s),
            longer_than=query.longer_than, history=query.history,
        )  # fmt: skip
        return report.as_json()

    def lag(self, query: LagQuery, within_s: float) -> Told:
        """Return the lag of what arrived. Raises: InvalidQuestion."""
        report = lag_report(
            self.commits, query.arrivals(self.clock.now()),
            self._budget(query.max_pages, within_s),
            cursor=query.cursor, source=query.source, event_type=query.event_type,
        )  # fmt: skip
        return report.as_json()

    def repeated(self, query: ListedQuery, within_s: float) -> Told:
        """Return what came again. Raises: InvalidQuestion."""
        return self._listed(self.duplicates, query, within_s)

    def behind(self, query: ListedQuery, within_s: float) -> Told:
        """Return what came late. Raises: InvalidQuestion."""
        return self._listed(self.late, query, within_s)

    def ranked(self, query: ArrivalQuery, within_s: float) -> Told:
        """Return the sources, ranked. Raises: InvalidQuestion."""
        now = self.clock.now()
        budget = self._budget(query.max_pages, within_s)
        report = self.sources.report(query.arrivals(now), budget, now, cursor=query.cursor)
        return report.as_json()

    def rows(self, query: AggregatesQuery, within_s: float) -> Told:
        """Return a page of aggregate rows. Raises: InvalidQuestion."""
        version = None if query.version == "all" else Version(query.version)
        scope = self._scope(query.scope)
        asked = RowsAsked(scope, query.window, query.metric, query.start, query.end, version)
        budget = self._budget(query.max_pages, within_s)
        page = self.aggregates.page(asked, budget, limit=query.limit, cursor=query.cursor)
        return {
            "coverage": {
                "complete": page.cursor is None,
                "ended_by": page.ended_by,
                "cursor": page.cursor,
            },
            "rows": [self.row_json(row) for row in page.rows],
        }

    def status(self, query: StatusQuery, within_s: float) -> Told:
        """Return what is wrong now, ranked, with what was checked; and what is unfinished."""
        budget = self._budget(query.max_pages, within_s)
        seen = self.inspect(query.window_start(self.clock.now()), budget)
        left = unfinished_report(self.unfinished, self.clock, budget)
        return left.as_json() | seen.as_json(self.commands)

    def _listed(self, asked: Duplicates | LateEvents, query: ListedQuery, within_s: float) -> Told:
        report = asked.report(
            query.arrivals(self.clock.now()), self._budget(query.max_pages, within_s),
            cursor=query.cursor, source=query.source, listed=query.listed,
        )  # fmt: skip
        return report.as_json()

    def _scope(self, text: str) -> Scope:
        try:
            return self.scope_of(text)
        except ValueError as err:
            raise InvalidQuestion("scope", str(err)) from err

    def _budget(self, max_pages: int, within_s: float) -> Budget:
        deadline = self.clock.now() + timedelta(seconds=within_s)
        return Budget(self.cost, self.clock, max_pages=max_pages, deadline=deadline)
