from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.partition import MAX_KEY_BYTES
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.mapping import FieldMapping, parse_mapping
from millrace_cli.records import (
    MAX_RECORD_BYTES,
    batches,
    partition_key,
    record_of,
)
from millrace_cli.rows import BadRow, Row

NEEDED = "event_time=time entity_id=user event_type=const:edit"


def mapping(*options: str) -> FieldMapping:
    parsed = parse_mapping(options)
    assert parsed is not None
    return parsed


def row(fields: dict[str, Any], line: int = 1) -> Row:
    return Row(line, fields, orjson.dumps(fields))


def event(fields: dict[str, Any], *options: str) -> dict[str, Any]:
    parsed: dict[str, Any] = orjson.loads(record_of(row(fields), mapping(*options)).data)
    return parsed


def test_one_option_or_several_mean_the_same() -> None:
    """`make run` gives all pairs in one option; people give several options."""
    assert mapping(NEEDED) == mapping(*NEEDED.split()) == mapping("  ", *NEEDED.split(" ", 1))
    assert parse_mapping([]) is None
    assert parse_mapping([" "]) is None


def test_a_value_may_hold_spaces() -> None:
    """A word without `=` belongs to the value before it."""
    assert event({"User name": "u", "time": "t"}, "entity_id=User name event_time=time",
                 "event_type=const:a b c")["event_type"] == "a b c"  # fmt: skip


def test_the_row_becomes_the_payload_byte_for_byte() -> None:
    """Unless payload is mapped the whole row is it, and keys follow the mapping's order."""
    data = b'{"user":"u", "time":"t","n":123456789012345678901234567890}'
    record = record_of(Row(1, orjson.loads(data), data), mapping(NEEDED))
    assert record.data == (
        b'{"event_time":"t","entity_id":"u","event_type":"edit","payload":' + data + b"}"
    )
    assert (record.partition_key, record.event_type) == ("u", "edit")


def test_dots_go_into_objects_but_a_column_of_that_name_comes_first() -> None:
    """`a.b` is b inside a, unless the row has a column that is called `a.b`."""
    base = {"user": "u", "time": "t"}
    options = f"{NEEDED} source=a.b"
    assert event(base | {"a": {"b": "deep"}}, options)["source"] == "deep"
    assert event(base | {"a": {"b": "deep"}, "a.b": "flat"}, options)["source"] == "flat"


def test_payload_can_be_a_column() -> None:
    """A mapped payload replaces the row; a CSV cell that holds an object is that object."""
    base = {"user": "u", "time": "t"}
    assert event(base | {"p": {"x": 1}}, f"{NEEDED} payload=p")["payload"] == {"x": 1}
    assert event(base | {"p": '{"x":1}'}, f"{NEEDED} payload=p")["payload"] == {"x": 1}
    assert event(base | {"p": "text"}, f"{NEEDED} payload=p")["payload"] == "text"


def test_null_and_empty_columns_leave_the_field_out() -> None:
    """The contract's default, or its own reason for rejection, then applies."""
    made = event({"user": None, "time": "t", "s": ""}, f"{NEEDED} source=s")
    assert set(made) == {"event_time", "event_type", "payload"}


def test_numbers_become_the_contracts_types() -> None:
    """Numeric ids become text, a textual schema version a number."""
    made = event({"user": 17, "time": "t", "v": "2"}, f"{NEEDED} schema_version=v")
    assert (made["entity_id"], made["schema_version"]) == ("17", 2)


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
        st.integers(-(2**63), 2**64 - 1) | st.booleans() | st.none(),
    )
)
def test_the_same_row_gives_the_same_bytes(extra: dict[str, Any]) -> None:
    """Nothing that varies is added (not even the line), so a file put twice is all duplicates."""
    fields = extra | {"user": "u", "time": "t"}
    first = record_of(row(fields), mapping(NEEDED))
    assert record_of(row(dict(fields), line=9), mapping(NEEDED)) == first
    assert orjson.loads(first.data)["payload"] == fields


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("event_time", "malformed"),
        ("event_time=", "malformed"),
        ("=time", "malformed"),
        ("evnt_time=time", "unknown event field"),
        (f"{NEEDED} event_time=t2", "2 times"),
        ("event_time=time entity_id=user", "does not say where event_type"),
        (f"{NEEDED} payload=const:x", "payload cannot be a constant"),
    ],
)
def test_a_wrong_mapping_is_wrong_use(options: str, problem: str) -> None:
    """The error names the pair or field and what to write instead."""
    with pytest.raises(CommandError, match=problem) as caught:
        parse_mapping([options])
    assert caught.value.code is ExitCode.USAGE


def test_an_unknown_column_names_line_rule_and_columns() -> None:
    """The reader learns where it is, which option named it and what there is instead."""
    with pytest.raises(BadRow) as caught:
        record_of(row({"user": "u", "when": "t"}, line=7), mapping(NEEDED))
    assert str(caught.value) == (
        "line 7: no column 'time', which --map event_time=time names; the columns are user, when"
    )


def test_without_mapping_the_bytes_go_as_they_came() -> None:
    """Spaces, key order and unknown keys reach the stream untouched."""
    data = b'{ "zz": 1, "entity_id" : "u1" }'
    record = record_of(Row(1, orjson.loads(data), data), None)
    assert (record.data, record.partition_key) == (data, "u1")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=600), st.binary())
def test_partition_keys_fit_and_depend_on_the_entity_alone(entity: str, data: bytes) -> None:
    """1-256 bytes always (API_PutRecordsRequestEntry); one entity has one key."""
    key = partition_key(entity, data)
    assert 1 <= len(key.encode()) <= MAX_KEY_BYTES
    if entity:
        assert key == partition_key(entity, b"other")
    if 0 < len(entity.encode()) <= MAX_KEY_BYTES:
        assert key == entity


def test_a_record_over_the_limit_is_named() -> None:
    """Data and partition key count together, 1 MiB (API_PutRecords)."""
    room = MAX_RECORD_BYTES - len(b'{"entity_id":"u","x":""}') - 1
    fits = Row(1, {"entity_id": "u"}, b'{"entity_id":"u","x":"' + b"y" * room + b'"}')
    assert record_of(fits, None).size == MAX_RECORD_BYTES
    with pytest.raises(BadRow, match="line 3"):
        record_of(Row(3, fits.fields, fits.data + b" "), None)


@given(st.lists(st.integers(1, MAX_RECORD_BYTES - 10), max_size=40), st.integers(1, 7))
def test_batches_are_full_and_within_the_limits(sizes: list[int], max_records: int) -> None:
    """Order is kept, no batch breaks a limit, and none could have taken the next record."""
    records = [record_of(Row(1, {"entity_id": "k"}, _blobs(size)), None) for size in sizes]
    made = list(batches(records, max_records))
    assert [record for batch in made for record in batch] == records
    for batch, following in pairwise(made):
        assert len(batch) == max_records or _size(batch) + following[0].size > 10 * 1024 * 1024
    assert all(len(batch) <= max_records and _size(batch) <= 10 * 1024 * 1024 for batch in made)


_BLOB = memoryview(b"x" * MAX_RECORD_BYTES)


def _blobs(size: int) -> bytes:
    return bytes(_BLOB[:size])


def _size(batch: list[Any]) -> int:
    return sum(record.size for record in batch)
