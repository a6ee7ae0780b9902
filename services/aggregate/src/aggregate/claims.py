"""Whose entity is it: claiming the unique markers that units ask for."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from aggregate.ports import Markers
from millrace.counting.deltas import Marker
from millrace.errors import RetryableError


class Claims:
    """The markers as far as one batch has seen them; owners never change, so they are kept.

    Reading first is the cheap order: a strongly consistent read costs a fifth of a write, and an
    insert that fails is charged like one that succeeds. So it pays as soon as one marker in five
    is there already, which is the rule for every commit of a window but the first.
    """

    def __init__(self, markers: Markers) -> None:
        self._markers = markers
        self._owners: dict[Marker, str] = {}

    def claim(self, wanted: Mapping[str, Sequence[Marker]]) -> Mapping[str, AbstractSet[Marker]]:
        """Claim markers for units by their ids; return those that are each unit's own.

        A marker that nobody has goes to the first unit that asks for it; one that a unit claimed
        in an earlier attempt is still its own.

        Raises:
            RetryableError, ConfigError: the markers cannot be read or written now.
        """
        first: dict[Marker, str] = {}
        for unit_id, markers in wanted.items():
            for marker in markers:
                if marker not in self._owners:
                    first.setdefault(marker, unit_id)
        if first:
            self._settle(first)
        return {
            unit_id: {marker for marker in markers if self._owners[marker] == unit_id}
            for unit_id, markers in wanted.items()
        }

    def _settle(self, claims: Mapping[Marker, str]) -> None:
        self._owners |= self._markers.owners(list(claims))
        missing = {each: unit for each, unit in claims.items() if each not in self._owners}
        if not missing:
            return
        inserted = self._markers.insert_new(missing)
        self._owners |= {each: missing[each] for each in inserted}
        lost = [each for each in missing if each not in inserted]
        if lost:
            self._owners |= self._markers.owners(lost)
        if not all(each in self._owners for each in lost):
            raise RetryableError("a marker was neither inserted nor there: it expired just now")
