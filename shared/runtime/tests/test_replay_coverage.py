"""Which rows of a replay hold a whole window."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.aggregates import AggregateKey, Dimension, Scope
from millrace.aws.aggregates import scope_key, scope_of
from millrace.definitions import CountMetric, Metric, Mode, SumMetric, UniqueMetric
from millrace.index import IndexEntry
from millrace.replay.coverage import Coverage
from millrace.replay.difference import belongs
from millrace.replay.selection import Selection
from millrace.windows import Window, WindowWidth, window_of
from millrace_testing.builders import index_entry

DAY = datetime(2025, 12, 28, tzinfo=UTC)
HOUR = timedelta(hours=1)
BOTH = (WindowWidth.HOUR, WindowWidth.DAY)
BY = [each for each in Dimension if each is not Dimension.PAYLOAD]


def metric(name: str = "n", **fields: Any) -> CountMetric:
    """Return a count by type and entity."""
    defaults = {"dimensions": (Dimension.TYPE.value, Dimension.ENTITY.value), "windows": BOTH}
    return CountMetric(name=name, kind="count", **(defaults | fields))


def covered(start: datetime, end: datetime, *metrics: Metric, **selectors: Any) -> Coverage:
    return Coverage.of(Selection(start, end, **selectors), metrics or (metric(),))


def row(dimension: Dimension, *ids: str, at: datetime = DAY, width=WindowWidth.HOUR, name="n"):
    return AggregateKey(Scope.of(dimension, *ids), window_of(at, width), name)


@pytest.mark.parametrize(
    ("start", "end", "whole", "partial"),
    [
        (DAY, DAY + HOUR, 1, ()),
        (DAY, DAY + 24 * HOUR, 24, ()),
        (DAY + HOUR / 2, DAY + 3 * HOUR, 2, ("HOUR#2025-12-28T00",)),
        (DAY, DAY + 2.5 * HOUR, 2, ("HOUR#2025-12-28T02",)),
        (DAY + HOUR / 2, DAY + 3.5 * HOUR, 2, ("HOUR#2025-12-28T00", "HOUR#2025-12-28T03")),
        (DAY + HOUR / 2, DAY + 1.5 * HOUR, 0, ("HOUR#2025-12-28T00", "HOUR#2025-12-28T01")),
        (DAY + HOUR / 4, DAY + HOUR / 2, 0, ("HOUR#2025-12-28T00",)),
        (DAY, DAY + HOUR / 2, 0, ("HOUR#2025-12-28T00",)),
        (DAY + HOUR / 2, DAY + HOUR, 0, ("HOUR#2025-12-28T00",)),
    ],
)
def test_hours_of_a_selection(start, end, whole, partial):
    """How many are whole, and which are covered in part, at either end."""
    hours, days = covered(start, end).windows()
    assert (hours.width, hours.whole, hours.partial) == (WindowWidth.HOUR, whole, partial)
    if whole:
        assert hours.last_whole is not None
        assert hours.first_whole is not None
        assert hours.last_whole - hours.first_whole == (whole - 1) * HOUR
        assert start <= hours.first_whole
        assert hours.last_whole + HOUR <= end
    else:
        assert (hours.first_whole, hours.last_whole) == (None, None)
    is_day = end - start == 24 * HOUR
    assert (days.whole, days.partial) == ((1, ()) if is_day else (0, ("DAY#2025-12-28",)))


def test_days_with_partial_ends():
    """A selection over midnights has whole days between its ends."""
    _, days = covered(DAY + HOUR, DAY + 72 * HOUR + HOUR).windows()
    assert (days.whole, days.partial) == (2, ("DAY#2025-12-28", "DAY#2025-12-31"))
    assert days.first_whole == DAY + 24 * HOUR
    assert days.last_whole == DAY + 48 * HOUR
    assert days.to_fields()["first_whole"] == "2025-12-29T00:00:00.000Z"


def test_only_widths_that_a_metric_has_are_told():
    """A width that nothing is counted in says nothing."""
    (only,) = covered(DAY, DAY + HOUR, metric(windows=(WindowWidth.DAY,))).windows()
    assert only.width is WindowWidth.DAY
    assert only.to_fields() == {
        "width": "day", "whole": 0, "first_whole": None, "last_whole": None,
        "partial": ["DAY#2025-12-28"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("selectors", "scopes"),
    [
        ({}, ["all", "all", "all", "all"]),
        ({"entity_id": "ana"}, ["none", "ENTITY ana", "none", "none"]),
        ({"source": "web"}, ["none", "none", "SOURCE web", "none"]),
        ({"event_type": "view"}, ["TYPE view", "none", "none", "none"]),
        ({"entity_id": "ana", "source": "web"}, ["none"] * 4),
    ],
)
def test_scopes_that_are_whole(selectors, scopes):
    """Without selectors all of them; with one the scope of its own value."""
    names = ("type", "entity", "source", "experiment")
    counted = metric(dimensions=names)
    told = covered(DAY, DAY + HOUR, counted, **selectors).by_metric()
    assert [each.whole_scopes for each in told] == scopes
    assert [each.dimension for each in told] == ["type", "entity", "source", "experiment"]
    assert told[0].to_fields() == {
        "metric": "n", "dimension": "type", "whole_scopes": scopes[0], "live": True,
    }  # fmt: skip


def test_a_metric_of_one_type_is_whole_under_that_type():
    """What else there is, live did not count into it either."""
    exposures = metric("exposures", event_types=("exposure",), dimensions=(Dimension.SOURCE.value,))
    of_two = metric("two", event_types=("exposure", "view"), dimensions=(Dimension.SOURCE.value,))
    coverage = covered(DAY, DAY + HOUR, exposures, of_two, event_type="exposure")
    assert coverage.is_whole(row(Dimension.SOURCE, "web", name="exposures"))
    assert not coverage.is_whole(row(Dimension.SOURCE, "web", name="two"))
    assert [each.whole_scopes for each in coverage.by_metric()] == ["all", "none"]
    narrower = replace(coverage, selection=replace(coverage.selection, source="web"))
    assert narrower.is_whole(row(Dimension.SOURCE, "web", name="exposures"))
    assert not narrower.is_whole(row(Dimension.SOURCE, "app", name="exposures"))


def test_a_metric_that_the_replay_does_not_compute_is_never_whole():
    """Nothing was computed to compare."""
    coverage = covered(DAY, DAY + HOUR)
    assert coverage.is_whole(row(Dimension.TYPE, "view"))
    assert not coverage.is_whole(row(Dimension.TYPE, "view", name="gone"))
    assert not coverage.is_live("gone")


def test_what_live_does_not_compute_is_told():
    """A metric of replays alone has no live value."""
    coverage = covered(DAY, DAY + HOUR, metric(), metric("later", mode=Mode.REPLAY))
    assert (coverage.is_live("n"), coverage.is_live("later")) == (True, False)
    assert [each.live for each in coverage.by_metric()] == [True, True, False, False]
    fields = coverage.to_fields()
    assert [len(fields[name]) for name in ("windows", "metrics")] == [2, 4]


def test_an_id_too_long_for_a_key_is_recognised():
    """Rows are found by their keys, which hold its beginning and a hash."""
    entity = "日" * 200
    (scope,) = {scope_of(scope_key(Scope.of(Dimension.ENTITY, entity)))}
    assert scope.ids != (entity,)
    key = AggregateKey(scope, window_of(DAY, WindowWidth.HOUR), "n")
    assert covered(DAY, DAY + HOUR, entity_id=entity).is_whole(key)
    assert not covered(DAY, DAY + HOUR, entity_id=entity[1:]).is_whole(key)
    assert belongs(index_entry(entity_id=entity, event_time=DAY), key)


TYPES, PEOPLE, SOURCES = ("view", "buy"), ("ana", "bo"), ("web", "app")
EVERY = tuple(each.value for each in BY)
TIMES = [DAY + halves * HOUR / 2 for halves in range(-48, 96)]  # three whole days
INSTANTS = [at + by for at in TIMES for by in (timedelta(0), HOUR / 2 - timedelta(milliseconds=1))]
HISTORY = [
    index_entry(event_time=at, event_type=kind, entity_id=who, source=source)
    for at, kind, who, source in product(INSTANTS, TYPES, PEOPLE, SOURCES)
]
METRICS: list[Metric] = [
    metric("all", dimensions=EVERY),
    metric("views", dimensions=EVERY, event_types=("view",)),
    UniqueMetric(
        name="users", kind="unique", of="entity", dimensions=EVERY, windows=BOTH,
        event_types=TYPES,
    ),
    SumMetric(
        name="spent", kind="sum", value="payload.n", dimensions=EVERY, windows=BOTH,
        event_types=("buy",), mode=Mode.REPLAY,
    ),
]  # fmt: skip


def scope_counting(entry: IndexEntry, dimension: Dimension) -> Scope:
    """Return the scope that counts the event; clients and experiments hold everybody here."""
    ids = {
        Dimension.TYPE: (entry.event_type,),
        Dimension.SOURCE: (entry.source,),
        Dimension.ENTITY: (entry.entity_id,),
        Dimension.EXPERIMENT: ("e1", "A"),
    }
    return Scope.of(dimension, *ids.get(dimension, ("c1",)))


ROWS: dict[tuple[Scope, Window], list[IndexEntry]] = defaultdict(list)
for one, by, wide in product(HISTORY, BY, BOTH):
    ROWS[scope_counting(one, by), window_of(one.event_time, wide)].append(one)


@st.composite
def selections(draw: st.DrawFn) -> Selection:
    start, end = sorted(draw(st.lists(st.sampled_from(TIMES), min_size=2, max_size=2, unique=True)))
    return Selection(
        start,
        end,
        draw(st.sampled_from((None, *PEOPLE))),
        draw(st.sampled_from((None, *SOURCES))),
        draw(st.sampled_from((None, *TYPES))),
        draw(st.booleans()),
    )


@given(
    selections(),
    st.sampled_from(METRICS),
    st.sampled_from(HISTORY),
    st.sampled_from(BY),
    st.sampled_from(BOTH),
)
def test_a_row_is_whole_when_all_that_live_counted_is_selected(
    selection, counted, entry, dimension, width
):
    """As the definition says, by looking at every event that belongs into the row."""
    if not counted.counts(entry.event_type):
        return
    scope, window = scope_counting(entry, dimension), window_of(entry.event_time, width)
    into_the_row = [each for each in ROWS[scope, window] if counted.counts(each.event_type)]
    expected = all(selection.wants(each) for each in into_the_row)
    key = AggregateKey(scope, window, counted.name)
    assert Coverage.of(selection, METRICS).is_whole(key) is expected
