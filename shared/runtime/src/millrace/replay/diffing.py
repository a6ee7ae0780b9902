"""Comparing a replay's version with live, row by row."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from millrace.aggregates import LIVE, AggregateRow, Dimension, Scope, Version
from millrace.definitions import Definitions
from millrace.index import IndexEntry
from millrace.keys import definitions_key
from millrace.ports import Objects
from millrace.raw_lines import unpack
from millrace.replay.coverage import Coverage
from millrace.replay.difference import Comparison, Verdict, belongs, compared, paired
from millrace.replay.plan import Plan
from millrace.replay.planned import PlannedEvent
from millrace.replay.planning import Planner
from millrace.replay.ports import ReplayLedger
from millrace.replay.record import Replay, ReplayState
from millrace.windows import WindowWidth, window_of

Parse = Callable[[bytes, str], Definitions]


class Aggregates(Protocol):
    """The aggregates table. May block, raise RetryableError or ConfigError."""

    def scopes_of(self, version: Version) -> Iterator[Scope]:
        """Yield each scope that has rows of a replay's version, once."""
        ...

    def live_scopes(
        self, dimensions: Collection[Dimension], start: datetime, end: datetime
    ) -> Iterator[Scope]:
        """Yield scopes of live rows whose window begins from `start` to `end`; reads all rows."""
        ...

    def query(
        self,
        scope: Scope,
        width: WindowWidth,
        *,
        metric: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        version: Version | None = LIVE,
    ) -> Iterator[AggregateRow]:
        """Yield the rows whose window begins at `start` or later and before `end`."""
        ...


@dataclass(frozen=True, slots=True)
class Diffing:
    """The use case, over its ports."""

    ledger: ReplayLedger
    aggregates: Aggregates
    objects: Objects
    planner: Planner
    parse: Parse

    def diff(self, replay_id: str, *, only_replayed: bool = False) -> Iterator[Comparison]:
        """Yield the comparison of each row of the replay's scopes, scope by scope.

        Then, of a replay that has counted all it will, those that could be whole rows of it and are
        rows of live alone, unless only what was replayed is asked for. Where no selector bounds
        them, all of live is looked through.

        Raises:
            UnknownReplay: there is none.
            ConfigError, RetryableError: a table or the bucket cannot be read (while iterating).
        """
        replay = self.ledger.replay(replay_id)
        plan = self.ledger.plan(replay.plan_id)
        coverage = self.coverage(replay)
        all_counted = self._counted_whole(replay) and not plan.selection.include_duplicates
        since: list[IndexEntry] | None = None
        for comparison in self._all_compared(replay, coverage, only_replayed=only_replayed):
            if comparison.verdict is not Verdict.INPUTS:
                yield comparison
                continue
            since = self._arrived_since(plan) if since is None else since
            yield _named(comparison, since, replay, all_counted=all_counted)

    def _all_compared(
        self, replay: Replay, coverage: Coverage, *, only_replayed: bool
    ) -> Iterator[Comparison]:
        seen: set[Scope] = set()
        for scope in self.aggregates.scopes_of(replay.version):
            seen.add(scope)
            yield from self._compared(scope, replay.version, coverage)
        if only_replayed or not self._counted_here(replay):
            return
        for scope in sorted(set(self._whole_in_live(coverage)) - seen):
            for comparison in self._compared(scope, replay.version, coverage):
                if comparison.verdict is not Verdict.PARTIAL:
                    yield comparison

    def _counted_here(self, replay: Replay) -> bool:
        """Tell whether it has ended, and its events were counted: not of a dry run or elsewhere."""
        ended = replay.state is ReplayState.COMPLETED and not replay.dry_run
        return ended and any(each.counted for each in self.ledger.objects(replay.replay_id))

    def _whole_in_live(self, coverage: Coverage) -> Iterator[Scope]:
        """Yield the scopes in which live may have rows that the selection covers whole."""
        scopes, dimensions = coverage.whole_rows()
        yield from scopes
        if dimensions:
            selection = coverage.selection
            yield from self.aggregates.live_scopes(dimensions, selection.start, selection.end)

    def coverage(self, replay: Replay) -> Coverage:
        """Return what is whole under the replay's selection, by its definitions.

        Raises:
            ConfigError, ObjectMissing, RetryableError: plan or definitions cannot be read.
        """
        key = definitions_key(replay.defs_version)
        definitions = self.parse(self.objects.get(key), key)
        return Coverage.of(self.ledger.plan(replay.plan_id).selection, definitions.metrics)

    def _counted_whole(self, replay: Replay) -> bool:
        """Tell whether every event of the plan was counted: it has ended, and none was skipped."""
        if replay.state is not ReplayState.COMPLETED:
            return False
        return next(iter(self.ledger.skipped(replay.replay_id)), None) is None

    def _compared(self, scope: Scope, version: Version, coverage: Coverage) -> Iterator[Comparison]:
        selection = coverage.selection
        for width in WindowWidth:
            start = window_of(selection.start, width).start
            rows = self.aggregates.query(scope, width, start=start, end=selection.end, version=None)
            for pair in paired(rows, LIVE, version):
                yield compared(pair, coverage)

    def _arrived_since(self, plan: Plan) -> list[IndexEntry]:
        """Return the events that the selection names now and did not name then, by event time."""
        planned = {
            (event.source, event.event_id, event.arrival_time)
            for chunk in plan.chunks
            for event in map(PlannedEvent.from_line, unpack(self.objects.get(chunk.key)))
        }
        arrived = [
            entry
            for entry in self.planner.selected(plan.selection)
            if (entry.source, entry.event_id, entry.arrival_time) not in planned
        ]
        return sorted(arrived, key=lambda entry: entry.order)


def _named(
    comparison: Comparison, since: Sequence[IndexEntry], replay: Replay, *, all_counted: bool
) -> Comparison:
    """Name what only live has; if nothing came since, other definitions chose other events."""
    ids = dict.fromkeys(entry.event_id for entry in since if belongs(entry, comparison.key))
    other = comparison.other_definitions_than(replay.defs_version)
    if not ids and all_counted and other:
        return replace(comparison, verdict=Verdict.LOGIC)
    return comparison.naming(list(ids))


def verdicts(comparisons: Sequence[Comparison]) -> Mapping[Verdict, int]:
    """Return how many rows came to which verdict."""
    return {verdict: sum(each.verdict is verdict for each in comparisons) for verdict in Verdict}
