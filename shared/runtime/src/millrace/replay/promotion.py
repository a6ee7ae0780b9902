"""Which rows of a replay live takes over, and what became of each."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from millrace.aggregates import LIVE, AggregateKey, AggregateRow
from millrace.replay.difference import Comparison, Verdict


@dataclass(frozen=True, slots=True)
class Operator:
    """Who promotes or restores rows, when and why."""

    who: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is promoted only if somebody asks for it."""

    partial: bool = False
    """Rows of which the replay did not select everything that live counts into them."""
    replay_only: bool = False
    """Rows of metrics that live does not compute: they are as they are from then on."""
    skipped: bool = False
    """The whole replay, although it left events out that could not be read."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a row says: its value, and what went into it."""

    value: int | Decimal = 0
    event_count: int = 0
    input_hash: int = 0

    @classmethod
    def of(cls, row: AggregateRow | None) -> "Content":
        """Return the content of a row; of none, nothing."""
        return cls(row.value, row.event_count, row.input_hash) if row else cls()


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of a diff, and whether it is promoted."""

    comparison: Comparison
    unique: bool
    """The row counts distinct entities: its markers move with its value."""
    skipped_because: str = ""
    """Empty: it is promoted."""

    @property
    def key(self) -> AggregateKey:
        """The live row that takes the value."""
        key = self.comparison.key
        return AggregateKey(key.scope, key.window, key.metric, LIVE)

    @property
    def before(self) -> Content:
        """What live said when it was compared."""
        return Content.of(self.comparison.live)

    @property
    def after(self) -> Content:
        """What the replay says."""
        return Content.of(self.comparison.replayed)


@dataclass(frozen=True, slots=True)
class Promotion:
    """A row that live took from a replay: what it was and what it became. Kept for good."""

    promotion_id: str
    """Names it within its replay."""
    key: AggregateKey
    before: Content
    after: Content
    by: Operator
    undone: Operator | None = None


class OutcomeKind(StrEnum):
    """What became of one row."""

    PLANNED = "planned"
    DONE = "done"
    SKIPPED = "skipped"
    """It was not to be touched."""
    REFUSED = "refused"
    """It was, and is as it was before."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row, and why."""

    key: AggregateKey
    kind: OutcomeKind
    before: Content
    after: Content
    why: str = ""


def planned(choice: Choice) -> Outcome:
    """Return what would become of a row."""
    kind = OutcomeKind.SKIPPED if choice.skipped_because else OutcomeKind.PLANNED
    why = choice.skipped_because or _cost(choice)
    return Outcome(choice.key, kind, choice.before, choice.after, why)


def planned_back(promotion: Promotion) -> Outcome:
    """Return what would become of a row that is restored."""
    return Outcome(promotion.key, OutcomeKind.PLANNED, promotion.after, promotion.before)


def chosen(
    comparisons: Iterable[Comparison],
    unique: Collection[str],
    promoted: Collection[AggregateKey],
    allowance: Allowance,
) -> Iterator[Choice]:
    """Yield each row with the reason why it is left alone, if there is one.

    unique: the names of metrics that count distinct entities.
    promoted: the live rows that took this replay's value before.
    """
    for comparison in comparisons:
        choice = Choice(comparison, comparison.key.metric in unique)
        because = _left_alone(choice, promoted, allowance)
        yield Choice(comparison, choice.unique, because)


def _left_alone(choice: Choice, promoted: Collection[AggregateKey], allowance: Allowance) -> str:
    comparison = choice.comparison
    if comparison.verdict is Verdict.SAME:
        return "live says the same"
    if choice.key in promoted:
        more = comparison.more_in_live
        return f"promoted before; live has counted {more:,} more events since"
    if comparison.verdict is Verdict.PARTIAL and not allowance.partial:
        return "the replay did not select the whole row (--partial takes it all the same)"
    if comparison.verdict is Verdict.PARTIAL and comparison.replayed is None:
        return "the replay says nothing about it"
    if comparison.verdict is Verdict.NO_LIVE and not allowance.replay_only:
        return "live does not compute the metric (--replay-only takes it all the same)"
    return ""


def _cost(choice: Choice) -> str:
    """Return what live loses by taking the row; empty if nothing."""
    lost = choice.comparison.more_in_live
    if lost <= 0:
        return ""
    named = ", ".join(choice.comparison.only_live)
    return f"live loses {lost:,} events" + (f": {named}" if named else "")
