"""By whose markers the unique rows of live speak: their own, or those of a promoted replay.

Promoting a replay points a live row at the replay's markers, in the transaction that changes its
value (docs/adr/0016). What was claimed before under other markers is void: the row's condition
refuses it, and the reference comes again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from aggregate.claims import Claims
from aggregate.domain.packing import Part, parts_of
from aggregate.loading import Loaded, UnitAdds
from aggregate.ports import Counters
from millrace.aggregates import LIVE, AggregateKey, Version
from millrace.counting.deltas import Marker


@dataclass(slots=True)
class MarkerVersions:
    """The versions as one batch has seen them."""

    counters: Counters
    _seen: dict[AggregateKey, Version] = field(default_factory=dict)

    def learn(self, keys: Iterable[AggregateKey]) -> None:
        """Look up the live rows among `keys` that were not looked up yet.

        Raises:
            RetryableError, ConfigError: the rows cannot be read now.
        """
        unseen = {key for key in keys if key.version == LIVE and key not in self._seen}
        if unseen:
            self._seen |= dict.fromkeys(unseen, LIVE)
            self._seen |= self.counters.promoted(unseen)

    def of(self, key: AggregateKey) -> Version:
        """Return the version whose markers decide a unique row; it was learned before."""
        return self._seen.get(key, key.version)

    def marker(self, marker: Marker) -> Marker:
        """Return the marker that decides about the entity of `marker`."""
        return replace(marker, key=replace(marker.key, version=self.of(marker.key)))

    def moved(self, keys: Iterable[AggregateKey]) -> AbstractSet[AggregateKey]:
        """Return the live rows among `keys` that do not speak by their own markers."""
        return {key for key in keys if self.of(key) != key.version}


def resolved(loaded: Loaded, claims: Claims, versions: MarkerVersions) -> list[Part]:
    """Return the parts of all units, the values of unique rows decided by markers.

    Raises:
        RetryableError, ConfigError: rows or markers cannot be read or written now.
    """
    versions.learn(marker.key for each in loaded.units for marker in each.adds.markers)
    deciding = {
        each.unit.id: {marker: versions.marker(marker) for marker in _asked(each, loaded, versions)}
        for each in loaded.units
    }
    owned = claims.claim({unit: list(markers.values()) for unit, markers in deciding.items()})
    return [
        part
        for each in loaded.units
        for part in _parts(
            each, loaded, _won(deciding[each.unit.id], owned[each.unit.id]), versions
        )
    ]


def unresolved(loaded: Loaded) -> list[Part]:
    """Return the parts of all units as if no entity of their unique rows were new."""
    return [
        Part(each.unit, number, counters, loaded.defs_version)
        for each in loaded.units
        for number, counters in enumerate(parts_of(each.adds.with_owned(frozenset())))
    ]


def _won(deciding: Mapping[Marker, Marker], owned: AbstractSet[Marker]) -> AbstractSet[Marker]:
    return {marker for marker, decides in deciding.items() if decides in owned}


def _asked(each: UnitAdds, loaded: Loaded, versions: MarkerVersions) -> Sequence[Marker]:
    """Return the markers to claim: none of a moved row that the unit was counted into before.

    It was counted under the markers of then. Claiming it now under the replay's would take
    entities for counted that the promotion took out of the row.
    """
    moved = versions.moved(marker.key for marker in each.adds.markers)
    if not moved:
        return each.adds.markers
    settled = _settled(each, loaded, moved, versions.counters)
    return [marker for marker in each.adds.markers if marker.key not in settled]


def _settled(
    each: UnitAdds, loaded: Loaded, moved: AbstractSet[AggregateKey], counters: Counters
) -> AbstractSet[AggregateKey]:
    found: set[AggregateKey] = set()
    for part in unresolved(replace(loaded, units=(each,))):
        keys = moved & {counter.key for counter in part.counters}
        if keys and counters.is_settled(part):
            found |= keys
    return found


def _parts(
    each: UnitAdds, loaded: Loaded, owned: AbstractSet[Marker], versions: MarkerVersions
) -> Collection[Part]:
    deltas = each.adds.with_owned(owned, versions.of)
    return [
        Part(each.unit, number, counters, loaded.defs_version)
        for number, counters in enumerate(parts_of(deltas))
    ]
