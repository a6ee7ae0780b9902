"""Filter criteria: which records reach the function; the others count as done.

https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-filtering.html
https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html (rule syntax)
"""

import json
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from millrace_mapping.core.records import StreamRecord

Rule = Callable[[Sequence[Any]], bool]
"""Takes the values that a field has (none if it is not there)."""

_DATA = "data"
_COMPARE: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class InvalidPattern(Exception):
    """A filter pattern that AWS would refuse when the mapping is created."""


class _Number(Decimal):
    """A JSON number that remembers how it was written: equality goes by that, order by value."""

    text: str

    def __new__(cls, text: str) -> "_Number":
        made = super().__new__(cls, text)
        made.text = text
        return made


class RecordFilter:
    """The filters of one mapping; a record passes if one of them matches, or if there is none."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Compile the patterns. Raises: InvalidPattern: it names the pattern."""
        self._patterns = [_parsed_pattern(pattern) for pattern in patterns]

    def passes(self, record: StreamRecord) -> bool:
        """Tell whether the record goes to the function. Data that is not JSON matches no rule."""
        return not self._patterns or any(self._matches(p, record) for p in self._patterns)

    @staticmethod
    def _matches(pattern: Mapping[str, Any], record: StreamRecord) -> bool:
        fields: dict[str, Any] = {
            "partitionKey": record.partition_key,
            "sequenceNumber": record.sequence,
            "kinesisSchemaVersion": "1.0",
            "approximateArrivalTimestamp": _Number(f"{record.arrival:.3f}"),
        }
        if _DATA in pattern:
            try:
                fields[_DATA] = _loads(record.data)
            except ValueError:
                return False
        return _object_matches(pattern, fields)


def _parsed_pattern(text: str) -> Mapping[str, Any]:
    try:
        pattern = _loads(text)
        if not isinstance(pattern, dict) or not isinstance(pattern.get(_DATA, {}), dict):
            raise InvalidPattern(f"filter pattern {text!r}: it and its data are JSON objects")
        _check(pattern)
    except (ValueError, KeyError, TypeError, IndexError) as err:
        raise InvalidPattern(f"filter pattern {text!r}: {err}") from err
    return pattern


def _check(pattern: Mapping[str, Any]) -> None:
    for name, expected in pattern.items():
        if name == "$or":
            for each in expected:
                _check(each)
        elif isinstance(expected, dict):
            _check(expected)
        elif isinstance(expected, list):
            for rule in expected:
                _rule(rule)
        else:
            raise TypeError(f"the rules of {name!r} are not a list")


def _loads(text: str | bytes) -> Any:  # noqa: ANN401 - JSON
    return json.loads(text, parse_int=_Number, parse_float=_Number)


def _object_matches(pattern: Mapping[str, Any], fields: object) -> bool:
    if not isinstance(fields, Mapping):
        fields = {}
    return all(_field_matches(name, expected, fields) for name, expected in pattern.items())


def _field_matches(name: str, expected: Any, fields: Mapping[str, Any]) -> bool:  # noqa: ANN401
    if name == "$or":
        return any(_object_matches(each, fields) for each in expected)
    if isinstance(expected, dict):
        inner = fields.get(name)
        several = inner if isinstance(inner, list) else [inner]
        return any(_object_matches(expected, each) for each in several)
    values = list(_leaves(fields, name))
    return any(_rule(rule)(values) for rule in expected)


def _leaves(fields: Mapping[str, Any], name: str) -> Iterator[Any]:
    """Yield the values of a field that rules look at: itself, or the members of its list."""
    if name not in fields:
        return
    value = fields[name]
    for each in value if isinstance(value, list) else [value]:
        if not isinstance(each, dict):
            yield each


def _rule(rule: Any) -> Rule:  # noqa: ANN401 - JSON
    if not isinstance(rule, dict):
        return lambda values: any(_same(rule, value) for value in values)
    ((name, operand),) = rule.items()
    return _OPERATORS[name](operand)


def _same(rule: object, value: object) -> bool:
    if isinstance(rule, _Number) or isinstance(value, _Number):
        return isinstance(rule, _Number) and isinstance(value, _Number) and rule.text == value.text
    return type(rule) is type(value) and rule == value


def _exists(operand: bool) -> Rule:
    return lambda values: bool(values) is operand


def _numeric(operand: Sequence[Any]) -> Rule:
    pairs = [
        (_COMPARE[op], Decimal(bound))
        for op, bound in zip(operand[::2], operand[1::2], strict=True)
    ]
    return lambda values: any(
        isinstance(value, _Number) and all(compare(value, bound) for compare, bound in pairs)
        for value in values
    )


def _textual(matches: Callable[[str], bool]) -> Rule:
    return lambda values: any(isinstance(value, str) and matches(value) for value in values)


def _prefix(operand: str) -> Rule:
    return _textual(lambda value: value.startswith(operand))


def _suffix(operand: str) -> Rule:
    return _textual(lambda value: value.endswith(operand))


def _equals_ignore_case(operand: str) -> Rule:
    return _textual(lambda value: value.casefold() == operand.casefold())


def _anything_but(operand: Any) -> Rule:  # noqa: ANN401 - a value, a list or a rule
    rules = [_rule(each) for each in (operand if isinstance(operand, list) else [operand])]
    return lambda values: any(not any(rule([value]) for rule in rules) for value in values)


_OPERATORS: Mapping[str, Callable[[Any], Rule]] = {
    "exists": _exists,
    "numeric": _numeric,
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "anything-but": _anything_but,
}
