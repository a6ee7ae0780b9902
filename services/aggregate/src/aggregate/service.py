"""Aggregate one commit: its enriched rows in, counters raised by exactly what they add."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from aggregate.catalogue import DefinitionsCatalogue
from aggregate.domain.deltas import Marker, contributions
from aggregate.domain.packing import parts_of
from aggregate.ports import Counters, Markers
from millrace.clock import Clock
from millrace.commit import Stage
from millrace.enriched import EnrichedEvent
from millrace.errors import MillraceError, RetryableError
from millrace.ports import CommitReader, Objects
from millrace.raw_lines import unpack
from millrace.reference import EnrichedReference
from millrace.times import format_ms


class MixedDefinitions(MillraceError):
    """An enriched object whose rows name several versions of the definitions; a defect."""


@dataclass(frozen=True, slots=True)
class Aggregated:
    """What one call did; nothing if an earlier one had marked the commit."""

    events: int = 0
    counters: int = 0
    parts: int = 0
    parts_done_before: int = 0
    """Parts that an earlier, unfinished attempt had written."""
    unusable_amounts: int = 0
    already_marked: bool = False


@dataclass(frozen=True, slots=True)
class Aggregate:
    """The use case. Every effect is keyed by the commit, so any call may be repeated.

    Everything that is added derives from the enriched object, which is written once, from the
    immutable definitions that its rows name, and from markers whose owner never changes. So every
    attempt computes the same parts, and a part marked on the commit is not written again.
    """

    ledger: CommitReader
    objects: Objects
    definitions: DefinitionsCatalogue
    markers: Markers
    counters: Counters
    clock: Clock

    def aggregate(self, reference: EnrichedReference) -> Aggregated:
        """Add what the commit that `reference` names adds, and mark it.

        When this returns, every part is written exactly once, by this call or an earlier one, and
        the ledger is marked.

        Raises:
            CommitMissing, RetryableError: the same call may succeed later.
            ObjectMissing, ConfigError, MixedDefinitions: it cannot before somebody has acted.
        """
        head = self.ledger.head(reference.shard, reference.first_seq)
        if Stage.AGGREGATED in head.marks:
            return Aggregated(already_marked=True)
        lines = unpack(self.objects.get(reference.enriched_key))
        events = [EnrichedEvent.from_line(line) for line in lines]
        done = self._add(reference, events) if events else Aggregated()
        self._mark(reference, done)
        return done

    def _add(self, reference: EnrichedReference, events: Sequence[EnrichedEvent]) -> Aggregated:
        version = _definitions_of(events, reference.enriched_key)
        added = contributions(events, self.definitions.load(version))
        deltas = added.with_owned(self._owned(added.markers, reference.commit_id))
        parts = parts_of(deltas)
        written = [
            self.counters.add_once(reference.shard, reference.first_seq, number, part, version)
            for number, part in enumerate(parts)
        ]
        return Aggregated(
            events=len(events),
            counters=len(deltas),
            parts=len(parts),
            parts_done_before=written.count(False),
            unusable_amounts=added.unusable_amounts,
        )

    def _owned(self, markers: Sequence[Marker], owner: str) -> AbstractSet[Marker]:
        """Claim the markers for this commit; return those that are its own, now or from before.

        Reading first is the cheap order: a strongly consistent read costs a fifth of a write, and
        an insert that fails is charged like one that succeeds. So it pays as soon as one marker
        in five is there already, which is the rule for every commit of a window but the first.
        """
        if not markers:
            return frozenset()
        known = dict(self.markers.owners(markers))
        missing = [marker for marker in markers if marker not in known]
        inserted = self.markers.insert_new(missing, owner) if missing else frozenset()
        lost = [marker for marker in missing if marker not in inserted]
        if lost:
            known |= self.markers.owners(lost)
        if not all(marker in known or marker in inserted for marker in markers):
            raise RetryableError("a marker was neither inserted nor there: it expired just now")
        return {each for each in markers if each in inserted or known.get(each) == owner}

    def _mark(self, reference: EnrichedReference, done: Aggregated) -> None:
        self.ledger.mark(
            reference.shard,
            reference.first_seq,
            Stage.AGGREGATED,
            {"at": format_ms(self.clock.now()), "parts": done.parts, "events": done.events},
        )


def _definitions_of(events: Sequence[EnrichedEvent], key: str) -> str:
    """Return the version that the object's rows name: the object counts, not the message."""
    versions = {event.defs_version for event in events}
    if len(versions) != 1:
        raise MixedDefinitions(f"object {key} names the definitions {sorted(versions)}")
    return versions.pop()
