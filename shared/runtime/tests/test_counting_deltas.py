"""What events add to which rows."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.aggregates import LIVE, AggregateKey, Dimension, Scope, Version
from millrace.counting.deltas import Marker, contributions
from millrace.counting.scoping import rows_of
from millrace.definitions import parse
from millrace.enriched import Assignment
from millrace.windows import Window, WindowWidth, window_of
from millrace_testing.builders import ARRIVAL, enriched_event

pytestmark = pytest.mark.aggregation

AT = datetime(2025, 12, 28, 9, 29, 59, 999000, tzinfo=UTC)


def metric(**fields):
    """Return definitions of one metric: a count by type and hour unless said otherwise."""
    base = {"name": "m", "kind": "count", "dimensions": ["type"], "windows": ["hour"]}
    lines = [f"{name} = {value!r}" for name, value in (base | fields).items()]
    return parse("\n".join(["[[metric]]", *lines]).encode(), "m.toml")


def key(dimension, *ids, width=WindowWidth.HOUR, at=AT):
    return AggregateKey(Scope.of(dimension, *ids), window_of(at, width), "m")


def test_a_count_by_type():
    """Each type has its row with value, event count, sum of hashes and the first event ids."""
    views = [enriched_event(n, event_time=AT) for n in range(7)]
    edit = enriched_event(9, event_time=AT, event_type="edit")
    deltas = contributions([*views, edit], metric()).deltas
    assert set(deltas) == {key(Dimension.TYPE, "view"), key(Dimension.TYPE, "edit")}
    delta = deltas[key(Dimension.TYPE, "view")]
    assert (delta.value, delta.event_count) == (7, 7)
    assert delta.input_hash == sum(event.hash64 for event in views)
    assert delta.sample_event_ids == tuple(f"event-{n}" for n in range(5))


@pytest.mark.parametrize(
    ("dimension", "ids"),
    [
        (Dimension.TYPE, ("view",)),
        (Dimension.SOURCE, ("web",)),
        (Dimension.ENTITY, ("user#1/x",)),
        (Dimension.CLIENT, ("client 1",)),
    ],
)
def test_each_dimension_takes_its_field(dimension, ids):
    """An event counts for its own type, source, entity or client, ids as they came."""
    event = enriched_event(event_time=AT, entity_id="user#1/x", client_id="client 1")
    deltas = contributions([event], metric(dimensions=[dimension.value])).deltas
    assert list(deltas) == [key(dimension, *ids)]


def test_an_event_counts_for_every_experiment_of_its_entity():
    """By experiment and variant; a pair listed twice counts once, none counts nowhere."""
    pairs = [("e1", "A"), ("e2", "B"), ("e1", "A")]
    event = enriched_event(
        event_time=AT, assignments=[Assignment(each, variant, AT, 0.0) for each, variant in pairs]
    )
    deltas = contributions([event, enriched_event(2)], metric(dimensions=["experiment"])).deltas
    assert {each.scope.ids: delta.value for each, delta in deltas.items()} == {
        ("e1", "A"): 1,
        ("e2", "B"): 1,
    }


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("de", "de"),
        ("Côte d'Ivoire #1", "Côte d'Ivoire #1"),
        (7, "7"),
        (-(10**20), "-100000000000000000000"),
        (True, "true"),
        (False, "false"),
    ],
)
def test_an_event_counts_for_a_value_of_its_payload(value, name):
    """By the path's names and the value as text: texts as they are, whole numbers, truth values."""
    event = enriched_event(event_time=AT, payload={"page": {"country": value}})
    deltas = contributions([event], metric(dimensions=["payload.page.country"])).deltas
    assert list(deltas) == [key(Dimension.PAYLOAD, "page.country", name)]


@pytest.mark.parametrize(
    "payload",
    [{}, {"page": 1}, {"page": {}}]
    + [{"page": {"country": each}} for each in (None, "", "x" * 257, 1.5, [], {})],
)
def test_a_payload_without_a_value_to_count_by_is_in_no_row(payload):
    """Absent, too long, or nothing that anybody could ask for by name; other metrics count it."""
    definitions = metric(dimensions=["payload.page.country", "type"])
    deltas = contributions([enriched_event(event_time=AT, payload=payload)], definitions).deltas
    assert list(deltas) == [key(Dimension.TYPE, "view")]


def test_two_paths_of_one_value_are_two_scopes():
    """Also where two metrics, or one, are counted by several paths at once."""
    event = enriched_event(event_time=AT, payload={"a": "x", "b": "x"})
    deltas = contributions([event], metric(dimensions=["payload.a", "payload.b"])).deltas
    assert {each.scope.ids for each in deltas} == {("a", "x"), ("b", "x")}


def test_a_replay_computes_every_metric_under_its_version():
    """Those of mode replay too; rows carry the version, so live ones are never touched."""
    definitions = metric(mode="replay")
    deltas = contributions([enriched_event()], definitions, Version("1766914200")).deltas
    assert [each.version for each in deltas] == ["1766914200"]


def test_windows_are_by_event_time_and_half_open():
    """The last millisecond of an hour is in it, the next hour's first is not; days alike."""
    times = [
        datetime(2025, 12, 28, 23, 59, 59, 999000, tzinfo=UTC),
        datetime(2025, 12, 29, tzinfo=UTC),
    ]
    events = [enriched_event(n, event_time=at) for n, at in enumerate(times)]
    deltas = contributions(events, metric(windows=["hour", "day"])).deltas
    assert {each.window: delta.value for each, delta in deltas.items()} == {
        Window(datetime(2025, 12, 28, 23, tzinfo=UTC), WindowWidth.HOUR): 1,
        Window(datetime(2025, 12, 28, tzinfo=UTC), WindowWidth.DAY): 1,
        Window(datetime(2025, 12, 29, tzinfo=UTC), WindowWidth.HOUR): 1,
        Window(datetime(2025, 12, 29, tzinfo=UTC), WindowWidth.DAY): 1,
    }


def test_only_the_listed_types_count():
    """A metric with event types makes no row for others."""
    events = [enriched_event(n, event_type=each) for n, each in enumerate(["edit", "view"])]
    deltas = contributions(events, metric(event_types=["edit"])).deltas
    assert [each.scope.ids for each in deltas] == [("edit",)]


def test_replay_only_metrics_are_not_computed():
    """A metric in mode replay adds nothing as events arrive."""
    assert not contributions([enriched_event()], metric(mode="replay")).deltas


def test_a_sum_is_exact_and_counts_what_it_summed():
    """Events without a usable number are in neither value nor count nor hash, but reported."""
    payloads = [{"size": 0.1}, {"size": 0.2}, {"size": "3"}, {}]
    events = [enriched_event(n, event_time=AT, payload=each) for n, each in enumerate(payloads)]
    added = contributions(events, metric(kind="sum", value="payload.size"))
    delta = added.deltas[key(Dimension.TYPE, "view")]
    assert (delta.value, delta.event_count) == (Decimal("0.3"), 2)
    assert delta.input_hash == events[0].hash64 + events[1].hash64
    assert delta.sample_event_ids == ("event-0", "event-1")
    assert added.unusable_amounts == 2


def test_a_sum_of_nothing_has_no_row():
    """No number at all is not the number zero."""
    assert not contributions([enriched_event()], metric(kind="sum", value="payload.none")).deltas


def test_unique_asks_for_one_marker_an_entity():
    """Each distinct entity of each row once; the value is how many of them are owned."""
    events = [enriched_event(n, event_time=AT, entity_id=f"u{n % 2}") for n in range(6)]
    added = contributions(events, metric(kind="unique", of="entity"))
    row = key(Dimension.TYPE, "view")
    assert added.markers == (Marker(row, "u0"), Marker(row, "u1"))
    assert added.deltas[row].event_count == 6
    for owned, value in [(set(), 0), ({Marker(row, "u1")}, 1), (set(added.markers), 2)]:
        assert added.with_owned(owned)[row].value == value


def test_no_owned_marker_changes_which_rows_there_are():
    """Rows come from the object alone, so parts are the same whoever owns the markers."""
    added = contributions([enriched_event()], metric(kind="unique", of="entity"))
    assert set(added.with_owned(frozenset())) == set(added.with_owned(set(added.markers)))


@given(st.permutations(range(12)))
def test_the_order_of_events_does_not_matter(order):
    """Values, counts and hashes are the same in any order."""
    definitions = metric(
        kind="sum", value="payload.number", dimensions=["entity"], windows=["hour", "day"]
    )

    def added(numbers):
        events = [enriched_event(n, event_time=ARRIVAL) for n in numbers]
        deltas = contributions(events, definitions).deltas
        return {k: (d.value, d.event_count, d.input_hash) for k, d in deltas.items()}

    assert added(order) == added(range(12))


def test_the_rows_of_an_event_are_those_that_it_adds_to():
    """What an investigator is told an event counts in is what aggregate writes for it alone."""
    definitions = parse(
        b'[[metric]]\nname = "n"\nkind = "count"\nwindows = ["hour", "day"]\n'
        b'dimensions = ["type", "source", "entity", "client"]\n'
        b'[[metric]]\nname = "s"\nkind = "sum"\nvalue = "payload.number"\n'
        b'dimensions = ["experiment", "payload.page.country"]\nwindows = ["day"]\n'
        b'[[metric]]\nname = "u"\nkind = "unique"\nof = "entity"\ndimensions = ["type"]\n'
        b'windows = ["day"]\nmode = "replay"\n'
        b'[[metric]]\nname = "none"\nkind = "count"\ndimensions = ["type"]\nwindows = ["hour"]\n'
        b'event_types = ["edit"]\n',
        "m.toml",
    )
    whole = enriched_event(
        payload={"number": 1, "page": {"country": "de"}},
        assignments=(Assignment("e1", "A", ARRIVAL, 1.0), Assignment("e2", "B", ARRIVAL, 1.0)),
    )
    bare = enriched_event(1, payload={"number": "no number", "page": {"country": "de"}})
    for event in (whole, bare):
        for version in (LIVE, Version("1766914200")):
            rows = list(rows_of(event, definitions, version))
            assert set(rows) == set(contributions([event], definitions, version).deltas)
            assert len(set(rows)) == len(rows)
