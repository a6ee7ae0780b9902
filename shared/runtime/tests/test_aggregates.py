"""The aggregates table: keys and reading."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.aggregates import LIVE, AggregateKey, AggregateRow, Dimension, Scope, Version
from millrace.aws.aggregates import (
    AggregatesReader,
    row_key,
    row_sort_key,
    scope_key,
    scope_of,
    stored_bounds,
)
from millrace.aws.ledger_items import to_attributes
from millrace.errors import ConfigError
from millrace.times import format_ms
from millrace.windows import Window, WindowWidth, window_of
from millrace_testing.tables import AGGREGATES, create_table

DAY = datetime(2015, 9, 12, tzinfo=UTC)
EDITS = Scope.of(Dimension.TYPE, "edit")


def hour(number: int) -> Window:
    return Window(DAY + timedelta(hours=number), WindowWidth.HOUR)


@pytest.mark.parametrize(
    ("scope", "text"),
    [
        (EDITS, "TYPE#edit"),
        (Scope.of(Dimension.SOURCE, "web"), "SOURCE#web"),
        (Scope.of(Dimension.ENTITY, "user#1/ä"), "ENTITY#user%231%2F%C3%A4"),
        (Scope.of(Dimension.CLIENT, "#en.wikipedia"), "CLIENT#%23en.wikipedia"),
        (Scope.of(Dimension.EXPERIMENT, "e#1", "A"), "EXPERIMENT#e%231#VARIANT#A"),
        (Scope.of(Dimension.PAYLOAD, "page.size", "#x"), "PAYLOAD#page.size#VALUE#%23x"),
    ],
)
def test_partition_keys(scope, text):
    """A scope's key is as the design says and can be read back."""
    assert scope_key(scope) == text
    assert scope_of(text) == scope


@given(st.sampled_from(Dimension), st.text(max_size=256), st.text(max_size=256))
def test_no_id_breaks_a_key(dimension, first, second):
    """Any two ids fit DynamoDB's 2,048 bytes, and all but very long ones come back.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
    """
    paired = dimension in {Dimension.EXPERIMENT, Dimension.PAYLOAD}
    ids = (first, second) if paired else (first or "-",)
    text = scope_key(Scope(dimension, ids))
    assert len(text.encode()) < 2048 - 150  # a marker's key holds the scope and more
    if all(len(quote(each, safe="")) <= 512 for each in ids):
        assert scope_of(text).ids == ids


def test_ids_too_long_stay_apart():
    """Where an encoded id is cut, a hash keeps two ids in two rows."""
    one, other = ("\N{PILE OF POO}" * 255 + end for end in "ab")
    assert len({scope_key(Scope.of(Dimension.ENTITY, each)) for each in (one, other)}) == 2


@pytest.mark.parametrize(
    "text", ["", "edit", "TYPE#", "COLOUR#red", "EXPERIMENT#e1", "TYPE", "PAYLOAD#a"]
)
def test_what_is_no_scope_is_refused(text):
    """The error names the text."""
    with pytest.raises(ValueError, match="scope"):
        scope_of(text)


def test_sort_keys():
    """Window, version, metric, in this order: one width sorts by time."""
    live = AggregateKey(EDITS, hour(13), "event_count")
    replayed = AggregateKey(EDITS, window_of(DAY, WindowWidth.DAY), "m", Version("1766914200"))
    assert row_sort_key(live) == "HOUR#2015-09-12T13#VER#live#event_count"
    assert row_sort_key(replayed) == "DAY#2015-09-12#VER#1766914200#m"


def test_stored_bounds_are_inclusive_to_the_second():
    """The last second of a window is stored, for readers that compare with `<=`."""
    assert stored_bounds(hour(13)) == ("2015-09-12T13:00:00Z", "2015-09-12T13:59:59Z")
    assert stored_bounds(window_of(DAY, WindowWidth.DAY))[1] == "2015-09-12T23:59:59Z"


@pytest.fixture
def client(aws) -> Any:
    client = boto3.client("dynamodb")
    create_table(client, "aggregates", AGGREGATES)
    return client


@pytest.fixture
def reader(client) -> AggregatesReader:
    return AggregatesReader(client, "aggregates")


def put(client: Any, key: AggregateKey, shard: int | None = None, **fields: object) -> None:
    start, end = stored_bounds(key.window)
    row = {
        "metric_name": key.metric,
        "value": 7,
        "window_start": start,
        "window_end": end,
        "version": key.version,
        "event_count": 7,
        "input_hash": 2**64,
        "sample_event_ids": ["a", "b"],
        "defs_versions": {"d" * 16},
        "updated_at": format_ms(DAY),
    } | fields
    client.put_item(TableName="aggregates", Item=row_key(key, shard) | to_attributes(row))


def test_a_row_is_read_whole(client, reader):
    """Every attribute comes typed; a whole number is an int."""
    key = AggregateKey(EDITS, hour(13), "m")
    put(client, key)
    assert list(reader.query(EDITS, WindowWidth.HOUR)) == [
        AggregateRow(key, 7, 7, 2**64, ("a", "b"), "d" * 16, DAY)
    ]


def test_fractions_and_mixed_definitions(client, reader):
    """A fraction stays exact; a row of two versions of the definitions says `mixed`."""
    put(client, AggregateKey(EDITS, hour(1), "m"), value=Decimal("0.1"), defs_versions={"a", "b"})
    (row,) = reader.query(EDITS, WindowWidth.HOUR)
    assert row.value == Decimal("0.1")
    assert row.defs_version == "mixed"


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (None, None, [1, 2, 3, 4]),
        (DAY + timedelta(hours=2), None, [2, 3, 4]),
        (None, DAY + timedelta(hours=3), [1, 2]),
        (DAY + timedelta(hours=2), DAY + timedelta(hours=4), [2, 3]),
        (DAY + timedelta(hours=1, minutes=30), DAY + timedelta(hours=2, minutes=30), [2]),
        (DAY + timedelta(hours=2), DAY + timedelta(hours=2), []),
        (DAY + timedelta(hours=3), DAY + timedelta(hours=2), []),
    ],
)
def test_a_range_is_half_open(client, reader, start, end, hours):
    """Windows that begin at `start` or later and before `end`, in order of time."""
    for number in (3, 1, 4, 2):
        put(client, AggregateKey(EDITS, hour(number), "m"))
    put(client, AggregateKey(EDITS, window_of(DAY, WindowWidth.DAY), "m"))
    rows = reader.query(EDITS, WindowWidth.HOUR, start=start, end=end)
    assert [row.key.window for row in rows] == [hour(number) for number in hours]


def test_widths_scopes_metrics_and_versions_are_apart(client, reader):
    """A query sees its own scope and width; metric and version where they are given."""
    replay = Version("1766914200")
    other = Scope.of(Dimension.TYPE, "view")
    for scope in (EDITS, other):
        for metric in ("m", "n"):
            for version in (LIVE, replay):
                put(client, AggregateKey(scope, hour(1), metric, version))
                day = window_of(DAY, WindowWidth.DAY)
                put(client, AggregateKey(scope, day, metric, version))

    def found(**wanted: Any) -> list[tuple[str, str]]:
        rows = list(reader.query(EDITS, WindowWidth.DAY, **wanted))
        assert all(row.key.scope == EDITS for row in rows)
        assert all(row.key.window.width is WindowWidth.DAY for row in rows)
        return [(row.key.metric, row.key.version) for row in rows]

    assert found() == [("m", "live"), ("n", "live")]
    assert found(metric="n") == [("n", "live")]
    assert found(metric="n", version=replay) == [("n", replay)]
    assert len(found(version=None)) == 4


def test_scopes_are_listed_once(client, reader):
    """Whatever number of rows each has, over more than one page."""
    scopes = [Scope.of(Dimension.ENTITY, f"user {number}") for number in range(12)]
    for scope in scopes:
        for number in range(3):
            key = AggregateKey(scope, hour(number), "m")
            put(client, key, sample_event_ids=["x" * 60_000])
    assert sorted(reader.scopes()) == sorted(scopes)


def test_scopes_of_a_version_are_listed_once(client, reader):
    """Of that replay alone, whatever number of rows each has; live has none."""
    scopes = [Scope.of(Dimension.ENTITY, f"user {number}") for number in range(12)]
    for number, scope in enumerate(scopes):
        for window in (hour(0), hour(1)):
            put(client, AggregateKey(scope, window, "m"))
            version = Version(("17", "18")[number % 3 == 0])
            put(client, AggregateKey(scope, window, "m", version), replay_version=version)
    assert sorted(reader.scopes_of(Version("18"))) == sorted(scopes[::3])
    assert sorted(reader.scopes_of(Version("17"))) == sorted(set(scopes) - set(scopes[::3]))
    assert list(reader.scopes_of(LIVE)) == list(reader.scopes_of(Version("19"))) == []


def test_live_scopes_of_a_time_are_listed_once(client, reader):
    """Of the dimensions that are asked for; replayed rows and other windows are none of them."""
    put(client, AggregateKey(EDITS, hour(1), "m"))
    put(client, AggregateKey(EDITS, hour(1), "n"))
    put(client, AggregateKey(EDITS, hour(2), "n"))
    put(client, AggregateKey(Scope.of(Dimension.TYPE, "view"), hour(1), "m", Version("17")))
    put(client, AggregateKey(Scope.of(Dimension.TYPE, "buy"), hour(5), "m"))
    web, variant = Scope.of(Dimension.SOURCE, "web"), Scope.of(Dimension.EXPERIMENT, "e", "A")
    for scope in (web, variant):
        put(client, AggregateKey(scope, hour(1), "m"))

    def found(*dimensions: Dimension) -> list[Scope]:
        return sorted(reader.live_scopes(dimensions, hour(1).start, hour(2).start))

    assert found(Dimension.TYPE) == [EDITS]
    assert found(Dimension.TYPE, Dimension.EXPERIMENT) == sorted([EDITS, variant])
    assert found(Dimension.CLIENT) == []


def test_shards_are_read_as_one_row(client, reader):
    """Also beside what was written before the scope was hot, and beside a metric of longer name."""
    key = AggregateKey(EDITS, hour(1), "m")
    large = Decimal("12345678901234567890123456789.123456789")
    put(client, key, value=large, sample_event_ids=["a", "b", "c"])
    put(client, key, 0, value=Decimal("0.876543211"), sample_event_ids=["d", "e", "f"])
    put(client, key, 11, value=-1, updated_at=format_ms(hour(5).start))
    for metric in ("m2", "m_2"):
        put(client, AggregateKey(EDITS, hour(1), metric))
    put(client, AggregateKey(EDITS, hour(2), "m"), 3, defs_versions={"e" * 16})
    first, *others = reader.query(EDITS, WindowWidth.HOUR)
    assert (first.key, first.value) == (key, 12345678901234567890123456789)
    assert (first.event_count, first.input_hash) == (21, 3 * 2**64)
    assert (first.sample_event_ids, first.updated_at) == (tuple("abcde"), hour(5).start)
    assert first.defs_version == "d" * 16
    assert [(row.key.metric, row.value) for row in others] == [("m2", 7), ("m_2", 7), ("m", 7)]
    assert len(list(reader.query(EDITS, WindowWidth.HOUR, metric="m"))) == 2


def test_shards_of_two_definitions_are_mixed(client, reader):
    """As a row is to which two contributed."""
    for shard in (0, 1):
        key = AggregateKey(EDITS, hour(1), "m")
        put(client, key, shard, defs_versions={str(shard) * 16})
    assert [row.defs_version for row in reader.query(EDITS, WindowWidth.HOUR)] == ["mixed"]


def test_more_rows_than_one_page(client, reader):
    """Every page is read: a query answers with at most 1 MB at once.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html
    """
    for number in range(24):
        put(client, AggregateKey(EDITS, hour(number), "m"), sample_event_ids=["x" * 60_000])
    assert len(list(reader.query(EDITS, WindowWidth.HOUR))) == 24


def test_a_missing_table_is_an_error_of_the_deployment(client):
    """Reading names what was attempted."""
    with pytest.raises(ConfigError, match="Query aggregates"):
        list(AggregatesReader(client, "none").query(EDITS, WindowWidth.HOUR))


def test_a_scope_has_the_ids_of_its_dimension():
    """An experiment needs its variant, nothing else has one."""
    wrong = [
        (Dimension.EXPERIMENT, ("e1",)),
        (Dimension.PAYLOAD, ("a",)),
        (Dimension.TYPE, ("a", "b")),
    ]
    for dimension, ids in wrong:
        with pytest.raises(ValueError, match=dimension.value):
            Scope(dimension, ids)
