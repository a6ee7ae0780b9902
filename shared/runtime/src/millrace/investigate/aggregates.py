"""The aggregate rows of one scope, in order, a page at a time, within a budget."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Protocol

from millrace.aggregates import LIVE, AggregateRow, Scope, Version
from millrace.investigate.cursors import fingerprint_of, malformed_cursor, read_cursor, write_cursor
from millrace.investigate.errors import InvalidQuestion
from millrace.read_cost import Bound, Budget
from millrace.times import format_ms, from_epoch_ms, to_epoch_ms
from millrace.windows import WindowWidth

_PLACE_TYPES = (int, str, str)

Place = tuple[int, str, str]
"""Start of the window (epoch ms), version, metric: what rows are sorted by."""


class ScopeRows(Protocol):
    """The aggregates table. May block, raise RetryableError or ConfigError while iterating."""

    def query(
        self,
        scope: Scope,
        width: WindowWidth,
        *,
        metric: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        version: Version | None = LIVE,
    ) -> Iterable[AggregateRow]:
        """Yield the rows whose window begins at `start` or later and before `end`, as they come.

        In order of time, then version, then metric; None means any.
        """
        ...


@dataclass(frozen=True)
class RowsAsked:
    """Which rows of a scope; None means any."""

    scope: Scope
    window: WindowWidth = WindowWidth.HOUR
    metric: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    """Windows that start before it."""
    version: Version | None = LIVE

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise InvalidQuestion(
                "to", f"{format_ms(self.end)} is not after from, {format_ms(self.start)}"
            )

    @cached_property
    def fingerprint(self) -> str:
        """A cursor is good for this very question."""
        times = (None if at is None else to_epoch_ms(at) for at in (self.start, self.end))
        return fingerprint_of(
            "aggregates", self.scope.dimension, self.scope.ids, self.window, self.metric,
            self.version, *times,
        )  # fmt: skip

    def wants(self, row: AggregateRow) -> bool:
        """Tell whether a row of the scope is asked for."""
        return self.metric in (None, row.key.metric) and self.version in (None, row.key.version)


@dataclass(frozen=True, slots=True)
class RowsPage:
    """The answer: some of the rows."""

    rows: tuple[AggregateRow, ...]
    cursor: str | None
    """With this the same question is answered for the rest; None: this is the last page."""
    ended_by: Bound | None
    """What ended the page before it was full."""


@dataclass(frozen=True, slots=True)
class AggregatePages:
    """The use case."""

    table: ScopeRows

    def page(
        self, asked: RowsAsked, budget: Budget, *, limit: int, cursor: str | None = None
    ) -> RowsPage:
        """Return at most `limit` rows; fewer if the budget ends, but one is looked at at least.

        Every row that is read is seen here, and none is filtered out by the table, which reads and
        charges for those too: so the budget is looked at between any two of them.

        Raises:
            InvalidQuestion: the cursor is malformed, or of another question.
        """
        after = None if cursor is None else _place_in(cursor, asked)
        start = asked.start if after is None else from_epoch_ms(after[0])
        found: list[AggregateRow] = []
        seen: Place | None = None
        for row in self.table.query(
            asked.scope, asked.window, start=start, end=asked.end, version=None
        ):
            place = to_epoch_ms(row.key.window.start), str(row.key.version), row.key.metric
            if after is not None and place <= after:
                continue
            full, bound = len(found) == limit and asked.wants(row), budget.spent
            if seen is not None and (full or bound is not None):
                rest = write_cursor(asked.fingerprint, seen)
                return RowsPage(tuple(found), rest, None if full else bound)
            seen = place
            if asked.wants(row):
                found.append(row)
        return RowsPage(tuple(found), None, None)


def _place_in(cursor: str, asked: RowsAsked) -> Place:
    at_ms, version, metric = read_cursor(cursor, asked.fingerprint, _PLACE_TYPES)
    try:
        from_epoch_ms(at_ms)
    except (OverflowError, OSError, ValueError) as err:
        raise malformed_cursor() from err
    return at_ms, version, metric
