"""From a reference to what its events add: reads objects and definitions, writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from aggregate.catalogue import DefinitionsCatalogue
from aggregate.domain.units import CommitUnit, ReplayUnit, Unit
from millrace.commit import Stage
from millrace.counting.deltas import Contributions, contributions
from millrace.counting.rows import rows_of
from millrace.enriched import EnrichedEvent
from millrace.errors import MillraceError
from millrace.ports import CommitReader, Objects
from millrace.raw_lines import unpack
from millrace.reference import EnrichedReference
from millrace.replay.reference import ReplayReference

AnyReference = EnrichedReference | ReplayReference


class MixedDefinitions(MillraceError):
    """An enriched object whose rows name several versions of the definitions; a defect."""


@dataclass(frozen=True, slots=True)
class UnitAdds:
    """What one unit adds."""

    unit: Unit
    adds: Contributions


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one reference adds."""

    defs_version: str = ""
    """Empty if there is no event."""
    events: int = 0
    malformed: tuple[int, ...] = ()
    """Numbers of the object's lines that are no events."""
    units: tuple[UnitAdds, ...] = ()
    already_marked: bool = False


@dataclass(frozen=True, slots=True)
class Loader:
    """Reads what a reference stands for."""

    ledger: CommitReader
    objects: Objects
    definitions: DefinitionsCatalogue

    def load(self, reference: AnyReference) -> Loaded:
        """Return what the events of `reference` add; nothing for a commit that is done.

        Raises:
            CommitMissing, RetryableError: the same call may succeed later.
            ObjectMissing, ConfigError, MixedDefinitions: it cannot before somebody has acted.
        """
        if isinstance(reference, EnrichedReference):
            head = self.ledger.head(reference.shard, reference.first_seq)
            if Stage.AGGREGATED in head.marks:
                return Loaded(already_marked=True)
        rows = rows_of(unpack(self.objects.get(reference.enriched_key)))
        if not rows.events:
            return Loaded(malformed=rows.malformed)
        version = _definitions_of(rows.events, reference.enriched_key)
        units = self._units(reference, rows.events, version)
        return Loaded(version, len(rows.events), rows.malformed, units)

    def _units(
        self, reference: AnyReference, events: Sequence[EnrichedEvent], defs_version: str
    ) -> tuple[UnitAdds, ...]:
        definitions = self.definitions.load(defs_version)
        if isinstance(reference, EnrichedReference):
            unit = CommitUnit(reference.commit_id, reference.shard, reference.first_seq)
            return (UnitAdds(unit, contributions(events, definitions)),)
        version = reference.version
        once: dict[ReplayUnit, EnrichedEvent] = {}
        for event in events:
            once.setdefault(ReplayUnit.of(event, version), event)
        return tuple(
            UnitAdds(unit, contributions([event], definitions, version))
            for unit, event in once.items()
        )


def _definitions_of(events: Sequence[EnrichedEvent], key: str) -> str:
    """Return the version that the object's rows name: the object counts, not the message."""
    versions = {event.defs_version for event in events}
    if len(versions) != 1:
        raise MixedDefinitions(f"object {key} names the definitions {sorted(versions)}")
    return versions.pop()
