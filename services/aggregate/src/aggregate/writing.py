"""Writing parts: bundled where they fit one transaction, alone where a bundle fails."""

from collections.abc import Iterable, Mapping, Sequence

from aggregate.domain.packing import Part, Place, bundles_of
from aggregate.ports import Counters

Written = Mapping[Place, bool | Exception]
"""For each part whether this call wrote it, an earlier one did (False), or why nobody did."""


def write(counters: Counters, parts: Iterable[Part]) -> Written:
    """Write every part that can be written; a part that cannot stops no other."""
    written: dict[Place, bool | Exception] = {}
    for bundle in bundles_of(parts):
        written |= _together_or_alone(counters, bundle)
    return written


def _together_or_alone(counters: Counters, bundle: Sequence[Part]) -> Written:
    try:
        return _written(counters, bundle)
    except Exception as err:  # noqa: BLE001 - the batch's loop: it fails this part and no other
        if len(bundle) == 1:
            return {bundle[0].place: err}
    alone: dict[Place, bool | Exception] = {}
    for part in bundle:
        alone |= _together_or_alone(counters, [part])
    return alone


def _written(counters: Counters, bundle: Sequence[Part]) -> dict[Place, bool | Exception]:
    """Write a bundle without the parts that turn out to be marked already."""
    left, before = list(bundle), set[Place]()
    while left:
        marked = counters.add_once(left)
        if not marked:
            break
        before |= marked
        left = [part for part in left if part.place not in marked]
    return {part.place: part.place not in before for part in bundle}
