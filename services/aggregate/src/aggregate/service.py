"""Aggregate a batch of references: enriched rows in, counters raised by exactly what they add."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aggregate.claims import Claims
from aggregate.domain.packing import Part
from aggregate.following import ReplayFollower
from aggregate.loading import AnyReference, Loaded, Loader
from aggregate.ports import Counters, Markers, RowMoved
from aggregate.promoted import MarkerVersions, resolved, unresolved
from aggregate.writing import Written, write
from millrace.clock import Clock
from millrace.commit import Stage
from millrace.errors import RetryableError
from millrace.ports import CommitReader
from millrace.reference import EnrichedReference
from millrace.replay.reference import ReplayReference
from millrace.times import format_ms

NAMED_LINES = 10


@dataclass(frozen=True, slots=True)
class Aggregated:
    """What one call did for one reference; nothing if an earlier one had marked the commit."""

    events: int = 0
    malformed_events: int = 0
    malformed_lines: tuple[int, ...] = ()
    """Where the first NAMED_LINES of them are in the object."""
    counters: int = 0
    parts: int = 0
    parts_done_before: int = 0
    """Parts that an earlier attempt had written; of a dry run none, since none was asked for."""
    unique_entities: int = 0
    """Entities of unique rows, whoever has counted them."""
    unusable_amounts: int = 0
    already_marked: bool = False
    dry_run: bool = False
    """Computed, and nothing was written."""


Outcome = Aggregated | Exception


@dataclass(slots=True)
class _Work:
    """One reference on its way through the batch."""

    reference: AnyReference
    loaded: Loaded = field(default_factory=Loaded)
    parts: list[Part] = field(default_factory=list)
    done_before: int = 0
    failure: Exception | None = None
    dry_run: bool = False

    @property
    def outcome(self) -> Outcome:
        """Why it failed, or what was done."""
        return self.failure or Aggregated(
            events=self.loaded.events,
            malformed_events=len(self.loaded.malformed),
            malformed_lines=self.loaded.malformed[:NAMED_LINES],
            counters=sum(len(part.counters) for part in self.parts),
            parts=len(self.parts),
            parts_done_before=self.done_before,
            unique_entities=sum(len(each.adds.markers) for each in self.loaded.units),
            unusable_amounts=sum(each.adds.unusable_amounts for each in self.loaded.units),
            already_marked=self.loaded.already_marked,
            dry_run=self.dry_run,
        )


@dataclass(frozen=True, slots=True)
class Aggregate:
    """The use case. Every effect is keyed by the commit or the replayed event: calls may repeat.

    Everything that is added derives from the enriched object, which is written once, from the
    immutable definitions that its rows name, and from markers whose owner never changes. So every
    attempt computes the same parts, and a part that is marked is not written again. Only promoting
    a replay gives a unique row other markers; a part resolved by the former ones is refused, and
    resolved anew.
    """

    ledger: CommitReader
    loader: Loader
    markers: Markers
    counters: Counters
    replays: ReplayFollower
    clock: Clock
    dry_run: bool = False
    """Replayed references are read and computed, and not written. Live ones are written all the
    same: nobody would send them again."""

    def aggregate(self, references: Sequence[AnyReference]) -> list[Outcome]:
        """Add what each reference adds, and mark it; return what became of each, in their order.

        A reference that fails stops no other. When one has not failed, every part of it is
        written exactly once, by this call or an earlier one, and a commit is marked, a replay's
        object noted as counted. One that is there twice is done once: the second time it comes as
        already marked.
        """
        works = {reference: _Work(reference) for reference in references}
        _each(works.values(), self._load)
        _each(works.values(), self._dry)
        to_write = [work for work in works.values() if not work.dry_run]
        self._write(to_write)
        moved = [work for work in to_write if isinstance(work.failure, RowMoved)]
        for work in moved:
            work.failure = None
        self._write(moved)
        self.replays.note_pressure(_pressed(works.values()))
        return [_outcome(works, references, at) for at in range(len(references))]

    def _write(self, works: Sequence[_Work]) -> None:
        claims, versions = Claims(self.markers), MarkerVersions(self.counters)
        _each(works, lambda work: _cut(work, claims, versions))
        ready = [work for work in works if work.failure is None]
        written = write(self.counters, [part for work in ready for part in work.parts])
        _each(ready, lambda work: self._finish(work, written))

    def _load(self, work: _Work) -> None:
        work.loaded = self.loader.load(work.reference)

    def _dry(self, work: _Work) -> None:
        """Cut the parts of a dry run as if no entity of its unique rows were new."""
        if self.dry_run and isinstance(work.reference, ReplayReference):
            work.dry_run = True
            work.parts = unresolved(work.loaded)

    def _finish(self, work: _Work, written: Written) -> None:
        results = [written[part.place] for part in work.parts]
        for result in results:
            if isinstance(result, Exception):
                raise result
        work.done_before = results.count(False)
        if isinstance(work.reference, ReplayReference):
            self.replays.note_counted(work.reference)
        elif not work.loaded.already_marked:
            self._mark(work.reference, work)

    def _mark(self, reference: EnrichedReference, work: _Work) -> None:
        mark: dict[str, object] = {
            "at": format_ms(self.clock.now()),
            "parts": len(work.parts),
            "events": work.loaded.events,
        }
        if work.loaded.malformed:
            mark["malformed"] = len(work.loaded.malformed)
        self.ledger.mark(reference.shard, reference.first_seq, Stage.AGGREGATED, mark)


def _each(works: Iterable[_Work], step: Callable[[_Work], None]) -> None:
    """Take each work that has not failed one step on; one that fails stays behind, alone."""
    for work in works:
        if work.failure is None:
            try:
                step(work)
            except Exception as err:  # noqa: BLE001 - the batch's loop: it fails this work alone
                work.failure = err


def _pressed(works: Iterable[_Work]) -> Iterator[ReplayReference]:
    """Yield the replayed references that failed for something that passes, throttling above all."""
    for work in works:
        if isinstance(work.failure, RetryableError) and isinstance(work.reference, ReplayReference):
            yield work.reference


def _outcome(
    works: Mapping[AnyReference, _Work], references: Sequence[AnyReference], at: int
) -> Outcome:
    outcome = works[references[at]].outcome
    done_twice = isinstance(outcome, Aggregated) and references[at] in references[:at]
    return Aggregated(already_marked=True) if done_twice else outcome


def _cut(work: _Work, claims: Claims, versions: MarkerVersions) -> None:
    work.parts = resolved(work.loaded, claims, versions)
