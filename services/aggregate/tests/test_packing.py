"""Which rows go into which transaction."""

import random
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregate.domain.packing import (
    MOST_COUNTERS,
    MOST_ITEMS,
    Counter,
    Part,
    bundles_of,
    parts_of,
    sums_of,
)
from aggregate.domain.units import CommitUnit
from millrace.aggregates import AggregateKey, Dimension, Scope
from millrace.counting.deltas import Delta
from millrace.windows import WindowWidth, window_of
from millrace_testing.builders import ARRIVAL, SHARD

pytestmark = pytest.mark.aggregation

DELTA = Delta(1, 1, 1, ("event-1",))
WINDOW = window_of(ARRIVAL, WindowWidth.HOUR)

scopes = st.one_of(
    st.builds(lambda each: Scope.of(Dimension.ENTITY, each), st.text(min_size=1)),
    st.builds(lambda *ids: Scope.of(Dimension.EXPERIMENT, *ids), st.text(), st.text()),
)
keys = st.builds(AggregateKey, scopes, st.just(WINDOW), st.sampled_from(["a", "b"]))


def deltas_of(number):
    return {
        AggregateKey(Scope.of(Dimension.ENTITY, f"user_{n}"), WINDOW, "m"): DELTA
        for n in range(number)
    }


@given(st.lists(keys, unique=True, max_size=40), st.integers(0, 350), st.randoms())
def test_each_counter_is_in_one_part_whatever_the_order(some, more, random_source: random.Random):
    """Nothing is lost or twice, no part is above the limit, and order changes nothing."""
    deltas = dict.fromkeys(some, DELTA) | deltas_of(more)
    parts = parts_of(deltas)
    packed = [counter.key for part in parts for counter in part]
    assert len(packed) == len(set(packed))
    assert set(packed) == set(deltas)
    assert all(0 < len(part) <= MOST_COUNTERS for part in parts)
    shuffled = list(deltas.items())
    random_source.shuffle(shuffled)
    assert parts_of(dict(shuffled)) == parts


def test_there_are_as_few_parts_as_the_limit_allows():
    """99 counters are one transaction, 100 are two of even size, none are none."""
    assert [len(parts_of(deltas_of(n))) for n in (0, 1, 99, 100, 198, 199)] == [0, 1, 1, 2, 2, 3]
    assert [len(part) for part in parts_of(deltas_of(100))] == [50, 50]


def test_parts_do_not_depend_on_the_deltas():
    """Another value of a counter leaves it in its part."""
    deltas = deltas_of(250)
    other = dict.fromkeys(deltas, Delta(9, 9, 9, ()))
    assert [[each.key for each in part] for part in parts_of(other)] == [
        [each.key for each in part] for part in parts_of(deltas)
    ]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 60), st.integers(1, 99))))
def test_bundles_fit_and_hold_each_part_once(asked):
    """At most 100 marks and rows in each, never two parts of one unit, every part in one."""
    places = {}
    for number, (unit, start, length) in enumerate(asked):
        rows = tuple(Counter(each, DELTA) for each in list(deltas_of(200))[start : start + length])
        part = Part(CommitUnit(f"c{unit}", SHARD, unit), number, rows, "d")
        places[part.place] = part
    bundles = bundles_of(places.values())
    assert sorted(part.number for bundle in bundles for part in bundle) == list(range(len(places)))
    for bundle in bundles:
        assert len({part.unit for part in bundle}) == len(bundle)
        assert len(bundle) + len(sums_of(bundle)) <= MOST_ITEMS


@given(st.lists(st.tuples(st.decimals(-(10**17), 10**17, places=9), st.integers(0, 2**64 - 1))))
def test_sums_of_parts_are_exact(amounts):
    """To the last digit, in whatever order; a whole number is an int."""
    key = next(iter(deltas_of(1)))
    parts = [
        Part(CommitUnit(f"c{n}", SHARD, n), 0, (Counter(key, Delta(value, 1, hash64, ())),), "d")
        for n, (value, hash64) in enumerate(amounts)
    ]
    for each in sums_of(parts):
        with localcontext(prec=60):
            exact = sum((value for value, _ in amounts), Decimal(0))
        assert each.delta.value == exact
        assert each.delta.input_hash == sum(hash64 for _, hash64 in amounts)
        assert each.delta.event_count == len(amounts)


def test_golden_parts():
    """Frozen: attempts of one commit before and after a release must cut the same parts."""
    odd = AggregateKey(Scope.of(Dimension.EXPERIMENT, "a|b", "c#d"), WINDOW, "m")
    parts = parts_of(deltas_of(120) | {odd: DELTA})
    firsts = [[counter.key.scope.ids[0] for counter in part[:3]] for part in parts]
    assert firsts == [["user_45", "user_62", "user_71"], ["user_39", "user_94", "user_67"]]
    assert parts[0].index(Counter(odd, DELTA)) == 34
