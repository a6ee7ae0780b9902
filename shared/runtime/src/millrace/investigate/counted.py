"""Which aggregate rows an event is in: live, and in the version of each replay that counted it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from millrace.aggregates import LIVE, AggregateKey, AggregateRow, Scope, Version
from millrace.commit import Stage
from millrace.counting.scoping import rows_of
from millrace.definitions import Definitions, parse
from millrace.enriched import EnrichedEvent, normalised
from millrace.errors import ObjectMissing
from millrace.investigate.biography import CountedIn, Standing, Touched
from millrace.investigate.finding import FoundEvent
from millrace.investigate.ports import Bodies, CountedRows
from millrace.keys import definitions_key
from millrace.windows import Window

StoredRows = dict[tuple[Scope, Window], Mapping[AggregateKey, AggregateRow]]


@dataclass(frozen=True, slots=True)
class _Run:
    """One computation that the event went through."""

    version: Version
    defs_version: str
    replay_id: str | None
    counted: bool


@dataclass(frozen=True, slots=True)
class CountTrail:
    """Names an event's rows by the definitions that its enriched row was stamped with."""

    objects: Bodies
    aggregates: CountedRows

    def of(
        self, found: FoundEvent, row: EnrichedEvent | None, touched: Sequence[Touched]
    ) -> tuple[list[CountedIn], str]:
        """Return the rows, live first, and a note on what cannot be known.

        row: the event's enriched row; None if it is gone everywhere.
        """
        mark = found.line.head.marks.get(Stage.ENRICHED)
        if mark is None:
            return [], "not enriched yet"
        defs, note = str(mark["defs_version"]), ""
        if row is None:
            row = normalised(found.event, found.line.entry.arrival_ms, defs)
            note = "its assignments are gone with the enriched row: rows by experiment are left out"
        runs = [_Run(LIVE, defs, None, Stage.AGGREGATED in found.line.head.marks)]
        runs += [
            _Run(Version(each.version), each.defs_version, each.replay_id, each.counted)
            for each in touched
            if not each.dry_run
        ]
        try:
            return list(self._rows(row, runs)), note
        except ObjectMissing as err:
            return [], f"the metric definitions {err.key} are gone"

    def _rows(self, event: EnrichedEvent, runs: Sequence[_Run]) -> Iterator[CountedIn]:
        definitions: dict[str, Definitions] = {}
        stored: StoredRows = {}
        for run in runs:
            if run.defs_version not in definitions:
                name = definitions_key(run.defs_version)
                definitions[run.defs_version] = parse(self.objects.get(name), name)
            for key in rows_of(event, definitions[run.defs_version], run.version):
                place = key.scope, key.window
                if place not in stored:
                    stored[place] = {each.key: each for each in self.aggregates.rows(*place)}
                yield self._counted_in(key, stored[place].get(key), run)

    def _counted_in(self, key: AggregateKey, row: AggregateRow | None, run: _Run) -> CountedIn:
        standing = Standing.PENDING
        if run.counted:
            standing = Standing.MISSING if row is None else Standing.FOUND
        return CountedIn(
            scope=self.aggregates.name(key.scope),
            window=key.window.label,
            metric=key.metric,
            version=key.version,
            standing=standing,
            value=row.value if row else None,
            event_count=row.event_count if row else None,
            updated_at=row.updated_at if row else None,
            replay_id=run.replay_id,
        )
