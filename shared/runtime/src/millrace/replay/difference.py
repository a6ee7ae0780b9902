"""Why a replayed row differs from the live one: by its inputs, or by the logic."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from millrace.aggregates import AggregateKey, AggregateRow, Dimension, Version
from millrace.index import IndexEntry
from millrace.keys import id_in_keys
from millrace.replay.coverage import Coverage

SAMPLES = 5


class Verdict(StrEnum):
    """What the comparison of one row came to."""

    SAME = "same"
    """Equal inputs and equal value."""
    LOGIC = "logic"
    """The same events, another value: the definitions differ, in what they compute or choose."""
    INPUTS = "inputs"
    """Other events went in."""
    PARTIAL = "partial"
    """The replay did not select the whole window: nothing can be said."""
    NO_LIVE = "no live value"
    """Live does not compute the metric."""

    @property
    def differs(self) -> bool:
        """Whether a person should look at it."""
        return self in {Verdict.LOGIC, Verdict.INPUTS}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One scope, window and metric: live beside the replay."""

    key: AggregateKey
    """With the replay's version."""
    live: AggregateRow | None
    replayed: AggregateRow | None
    verdict: Verdict
    only_live: Sequence[str] = ()
    """Ids of events that live has and the replay has not: at most SAMPLES."""

    @property
    def more_in_live(self) -> int:
        """How many events more live counted; negative if the replay counted more."""
        return _events(self.live) - _events(self.replayed)

    @property
    def difference(self) -> int | Decimal:
        """The replayed value less the live one."""
        return _value(self.replayed) - _value(self.live)

    def other_definitions_than(self, defs_version: str) -> bool:
        """Tell whether live was computed by others than the replay, whose own are given."""
        if self.live is None:
            return False
        replayed = self.replayed.defs_version if self.replayed else defs_version
        return self.live.defs_version != replayed

    def naming(self, event_ids: Sequence[str]) -> "Comparison":
        """Return the same comparison with events that only live has."""
        return replace(self, only_live=tuple(event_ids[:SAMPLES]))


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of one scope, window and metric that were found."""

    key: AggregateKey
    live: AggregateRow | None
    replayed: AggregateRow | None


def paired(rows: Iterable[AggregateRow], live: Version, replayed: Version) -> Iterator[Rows]:
    """Yield the rows of both versions side by side, in order of window and metric."""
    found: dict[tuple[AggregateKey, Version], AggregateRow] = {}
    for row in rows:
        if row.key.version in {live, replayed}:
            found[_key(row.key, replayed), row.key.version] = row
    for key in sorted({key for key, _ in found}, key=lambda key: (key.window, key.metric)):
        yield Rows(key, found.get((key, live)), found.get((key, replayed)))


def compared(rows: Rows, coverage: Coverage) -> Comparison:
    """Return the comparison of one row."""
    return Comparison(rows.key, rows.live, rows.replayed, _verdict(rows, coverage))


def belongs(entry: IndexEntry, key: AggregateKey) -> bool:
    """Tell whether the event lies in the row's window and, as far as the index knows, its scope.

    The index knows neither clients, experiments nor payloads: there the window alone decides.
    """
    by_dimension = {
        Dimension.ENTITY: entry.entity_id,
        Dimension.SOURCE: entry.source,
        Dimension.TYPE: entry.event_type,
    }
    wanted = by_dimension.get(key.scope.dimension)
    in_scope = wanted is None or key.scope.ids == (id_in_keys(wanted),)
    return in_scope and key.window.start <= entry.event_time < key.window.end


def _verdict(rows: Rows, coverage: Coverage) -> Verdict:
    if rows.live is None and not coverage.is_live(rows.key.metric):
        return Verdict.NO_LIVE
    if not coverage.is_whole(rows.key):
        return Verdict.PARTIAL
    if _inputs(rows.live) != _inputs(rows.replayed):
        return Verdict.INPUTS
    return Verdict.SAME if _value(rows.live) == _value(rows.replayed) else Verdict.LOGIC


def _key(key: AggregateKey, version: Version) -> AggregateKey:
    return AggregateKey(key.scope, key.window, key.metric, version)


def _inputs(row: AggregateRow | None) -> tuple[int, int]:
    return (row.event_count, row.input_hash) if row else (0, 0)


def _events(row: AggregateRow | None) -> int:
    return row.event_count if row else 0


def _value(row: AggregateRow | None) -> int | Decimal:
    return row.value if row else 0
