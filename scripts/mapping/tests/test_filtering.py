"""Filter rules, one by one.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-filtering.html
"""

import json
from typing import Any

import pytest

from millrace_mapping.core.filtering import InvalidPattern, RecordFilter
from millrace_mapping.core.records import StreamRecord


def passes(pattern: Any, data: bytes | str, key: str = "1") -> bool:
    raw = data if isinstance(data, bytes) else data.encode()
    return RecordFilter([json.dumps(pattern)]).passes(StreamRecord("1", key, raw, 0.0))


@pytest.mark.parametrize(
    ("rules", "data", "expected"),
    [
        ({"a": [None]}, '{"a": null}', True),
        ({"a": [None]}, '{"a": 0}', False),
        ({"a": [""]}, '{"a": ""}', True),
        ({"a": ["Alice"]}, '{"a": "Alice"}', True),
        ({"a": ["Alice"]}, '{"a": "alice"}', False),
        ({"a": [{"equals-ignore-case": "ALICE"}]}, '{"a": "alice"}', True),
        ({"a": ["x"], "b": ["y"]}, '{"a": "x", "b": "y"}', True),
        ({"a": ["x"], "b": ["y"]}, '{"a": "x", "b": "z"}', False),
        ({"a": ["x", "y"]}, '{"a": "y"}', True),
        ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, '{"b": "y"}', True),
        ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, '{"b": "z"}', False),
        ({"a": [{"anything-but": ["x"]}]}, '{"a": "y"}', True),
        ({"a": [{"anything-but": ["x"]}]}, '{"a": "x"}', False),
        ({"a": [{"anything-but": ["x"]}]}, "{}", False),
        ({"a": [{"anything-but": {"prefix": "x"}}]}, '{"a": "xy"}', False),
        ({"a": [{"numeric": ["=", 100]}]}, '{"a": 100.0}', True),
        ({"a": [{"numeric": [">", 10, "<=", 20]}]}, '{"a": 20}', True),
        ({"a": [{"numeric": [">", 10, "<=", 20]}]}, '{"a": 10}', False),
        ({"a": [{"numeric": [">", 10]}]}, '{"a": "11"}', False),
        ({"a": [{"exists": True}]}, '{"a": null}', True),
        ({"a": [{"exists": True}]}, "{}", False),
        ({"a": [{"exists": False}]}, "{}", True),
        ({"a": [{"prefix": "us-"}]}, '{"a": "us-east-1"}', True),
        ({"a": [{"suffix": ".png"}]}, '{"a": "x.png"}', True),
        ({"a": {"b": {"c": [1]}}}, '{"a": {"b": {"c": 1}}}', True),
        ({"a": {"b": [1]}}, '{"a": 1}', False),
        ({"a": [300]}, '{"a": 300.0}', False),
        ({"a": [True]}, '{"a": true}', True),
        ({"a": [1]}, '{"a": true}', False),
        ({"a": ["x"]}, '{"a": ["w", "x"]}', True),
    ],
)
def test_a_rule_matches_as_documented(rules, data, expected):
    """Equality goes by the text of a number, order by its value; a list matches by any member."""
    assert passes({"data": rules}, data) is expected


def test_data_that_is_not_json_is_dropped():
    """A pattern for data cannot match what is not JSON."""
    assert not passes({"data": {"a": ["x"]}}, b"\xff")
    assert not passes({"data": {"a": ["x"]}}, "plain")


def test_without_a_pattern_for_data_only_metadata_is_looked_at():
    """Data of any format passes then."""
    assert passes({"partitionKey": ["1"]}, b"\xff")
    assert not passes({"partitionKey": ["2"]}, b"\xff")


def test_one_matching_filter_is_enough():
    """Filters are alternatives; without any, everything passes."""
    patterns = [json.dumps({"data": {"a": [value]}}) for value in ("x", "y")]
    record = StreamRecord("1", "1", b'{"a": "y"}', 0.0)
    assert RecordFilter(patterns).passes(record)
    assert RecordFilter([]).passes(record)


@pytest.mark.parametrize(
    "pattern",
    [
        "not json",
        "[]",
        '{"data": "plain"}',
        '{"data": {"a": "x"}}',
        '{"data": {"a": [{"like": 1}]}}',
    ],
)
def test_a_malformed_pattern_is_refused(pattern):
    """As AWS does when the mapping is created; the message quotes the pattern."""
    with pytest.raises(InvalidPattern, match="filter pattern"):
        RecordFilter([pattern])
