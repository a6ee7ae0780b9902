"""Rules: what each step does to a record, how they are written, and what names them."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.quarantine.document import NotADocument
from millrace.quarantine.paths import FieldPath, StepFailed
from millrace.quarantine.rule import Rule
from millrace.quarantine.rule_text import (
    BadRule,
    RuleOptions,
    parse_rule_file,
    rule_of,
    rule_of_options,
)

pytestmark = pytest.mark.validation

WHOLE = """
steps = [
  { rename = "ts", to = "event_time" },
  { cast = "event_time", as = "timestamp", format = "%d/%m/%Y %H:%M", zone = "Europe/Berlin" },
  { cast = "entity_id", as = "string" },
  { default = "event_type", value = "view" },
  { set = "payload.repaired", value = true },
  { drop = "debug" },
]
"""


def applied(data: object, **options: object) -> dict[str, object]:
    given = {name: tuple(value) for name, value in options.items()}  # type: ignore[call-overload]
    raw = data if isinstance(data, bytes) else orjson.dumps(data)
    changed = orjson.loads(rule_of_options(RuleOptions(**given)).apply(raw, "trace"))
    assert changed.pop("correlation_id") == "trace"
    return changed


def test_steps_apply_in_their_order() -> None:
    """A file's steps make one record an event: moved, read, filled in, put, taken away."""
    rule = parse_rule_file(WHOLE.encode(), "rule.toml")
    before = {"ts": "28/12/2025 10:30", "entity_id": 4711, "debug": {"a": 1}, "payload": {"n": 1}}
    assert orjson.loads(rule.apply(orjson.dumps(before), "quarantine/s/1/0")) == {
        "entity_id": "4711",
        "payload": {"n": 1, "repaired": True},
        "event_time": "2025-12-28T09:30:00.000Z",
        "event_type": "view",
        "correlation_id": "quarantine/s/1/0",
    }


@pytest.mark.parametrize(
    ("before", "options", "after"),
    [
        ({"data": {"a": 1, "b": 2}}, {"rename": ["data.a=a"]}, {"data": {"b": 2}, "a": 1}),
        ({"data": {"a": 1}}, {"rename": ["data.a=x.y"]}, {"x": {"y": 1}}),
        ({"a": 1}, {"rename": ["b=c"], "drop": ["d.e"], "cast": ["f=int"]}, {"a": 1}),
        ({"a": {"b": 1}}, {"rename": ["a=a.c"]}, {"a": {"c": {"b": 1}}}),
        ({"user.id": 1}, {"rename": [r"user\.id=entity_id"]}, {"entity_id": 1}),
        ({"a": None, "b": 0}, {"default": ["a=1", "b=1", "c=x"]}, {"a": 1, "b": 0, "c": "x"}),
        ({}, {"set_": ["a=web", "b=2", 'c="2"', 'd={"e":[1]}']},
         {"a": "web", "b": 2, "c": "2", "d": {"e": [1]}}),
    ],
)  # fmt: skip
def test_a_step_changes_what_is_there_and_nothing_else(before, options, after) -> None:
    """Places that are absent are left so; objects are made and, once empty, taken away."""
    assert applied(before, **options) == after


@pytest.mark.parametrize(
    ("value", "to", "expected"),
    [
        (" 42 ", "int", 42), ("3.0", "int", 3), (7, "int", 7), (7.0, "int", 7),
        ("1.5e3", "float", 1500.0), ("+.5", "float", 0.5), (3, "float", 3),
        (4711, "string", "4711"), (1.5, "string", "1.5"), (True, "string", "true"),
        ("True", "bool", True), (0, "bool", False), (False, "bool", False),
        ("2025-12-28T09:30:00+01:00", "timestamp:epoch_s", "2025-12-28T09:30:00+01:00"),
        (1766914200, "timestamp:epoch_s", "2025-12-28T09:30:00.000Z"),
        (1766914200.5, "timestamp:epoch_s", "2025-12-28T09:30:00.500Z"),
        ("2025-12-28T10:30:00", "timestamp:rfc3339@Europe/Berlin", "2025-12-28T09:30:00.000Z"),
        ("2025-12-28 10:30:00", "timestamp:@UTC", "2025-12-28T10:30:00.000Z"),
    ],
)  # fmt: skip
def test_a_cast_reads_a_value_as_another_type(value, to, expected) -> None:
    """What is of the type stays; what can be read one way becomes it."""
    assert applied({"a": value}, cast=[f"a={to}"]) == {"a": expected}


@pytest.mark.parametrize(
    ("before", "options", "problem"),
    [
        ({"a": "4,5"}, {"cast": ["a=int"]}, "a: '4,5' is no integer"),
        ({"a": 4.5}, {"cast": ["a=int"]}, "a: 4.5 is no integer"),
        ({"a": "1e999"}, {"cast": ["a=int"]}, "no integer"),
        ({"a": "+1e999"}, {"cast": ["a=float"]}, "beyond any number"),
        ({"a": None}, {"cast": ["a=string"]}, "neither text"),
        ({"a": "yes"}, {"cast": ["a=bool"]}, "neither true nor false"),
        ({"a": True}, {"cast": ["a=timestamp:epoch_s"]}, "no time"),
        ({"a": "12/2025"}, {"cast": ["a=timestamp:%d/%m/%Y@UTC"]}, "form %d/%m/%Y"),
        ({"a": "2025-12-28T09:30:00"}, {"cast": ["a=timestamp"]}, "has no offset"),
        ({"a": 1, "b": 2}, {"rename": ["a=b"]}, "b is there already"),
        ({"a": 1}, {"set_": ["a.b=1"]}, "a is no object"),
    ],
)
def test_a_step_that_does_not_fit_fails_the_record(before, options, problem) -> None:
    """Nothing is guessed: the place, the value and what is wrong are named."""
    with pytest.raises(StepFailed, match=problem.replace("+", r"\+")):
        applied(before, **options)


@pytest.mark.parametrize("data", [b"{", b"[1]", b"\xff{}", b'{"a":NaN}', b'{"a":"\\ud800"}'])
def test_what_is_no_json_object_is_no_document(data: bytes) -> None:
    """A rule has nothing to change in it."""
    with pytest.raises(NotADocument):
        applied(data, drop=["a"])


def test_declared_bytes_become_utf_8() -> None:
    """A rule may say what the bytes are in truth; nothing else of them changes."""
    rule = rule_of_options(RuleOptions(decode="latin-1"))
    assert orjson.loads(rule.apply('{"city":"Zürich"}'.encode("latin-1"), "t")) == {
        "city": "Zürich",
        "correlation_id": "t",
    }


def test_numbers_stay_as_they_were_written() -> None:
    """Beyond 64 bits, with zeros at their end: not one digit is changed."""
    data = b'{"a":123456789012345678901234567890,"b":1.10,"c":-1E5,"d":18446744073709551615}'
    changed = rule_of_options(RuleOptions(drop=("x",))).apply(data, "t")
    assert changed == data[:-1] + b',"correlation_id":"t"}'


@given(st.dictionaries(st.text(), st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)))  # fmt: skip
def test_a_rule_that_fits_nowhere_changes_no_value(document) -> None:
    """Reading and writing alone keeps every value of a record."""
    document["correlation_id"] = "mine"
    rule = rule_of_options(RuleOptions(drop=("no.such.place.anywhere",)))
    assert orjson.loads(rule.apply(orjson.dumps(document), "t")) == document


def test_the_hash_names_what_a_rule_does() -> None:
    """TOML, JSON and options of the same steps have one hash; another order has another."""
    toml = parse_rule_file(b'steps = [{to = "b", rename = "a"}, {drop = "c"}]', "x")
    text = json.dumps({"steps": [{"rename": "a", "to": "b"}, {"drop": "c"}]}, indent=3)
    assert toml == parse_rule_file(text.encode(), "x")
    assert toml == rule_of_options(RuleOptions(rename=("a=b",), drop=("c",)))
    assert toml.rule_hash == "243b9e9f9cdb6ce5"
    other = parse_rule_file(b'steps = [{drop = "c"}, {rename = "a", to = "b"}]', "x")
    assert other.rule_hash != toml.rule_hash


def test_a_stored_rule_is_the_same_rule() -> None:
    """What is kept of a rule makes it again, with its hash; one without steps too."""
    for rule in (parse_rule_file(WHOLE.encode(), "x"), Rule(), Rule(encoding="cp1252")):
        again = rule_of(orjson.loads(rule.canonical))
        assert (again, again.rule_hash) == (rule, rule.rule_hash)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"steps = [", "neither TOML nor JSON"),
        (b"steps = []", "--as-is"),
        (b"rules = []", "unknown key 'rules'"),
        (b'steps = "drop"', "must be a list"),
        (b'steps = [{drop = "a", set = "b"}]', "step 1 must have one of"),
        (b'steps = [{drop = "a"}, {set = "b"}]', r"step 2 \(set\) does not say value"),
        (b'steps = [{drop = "a", vaule = 1}]', "unknown key 'vaule'"),
        (b'steps = [{drop = "a..b"}]', "empty name"),
        (b'steps = [{rename = "a", to = "a"}]', "renamed to itself"),
        (b'steps = [{cast = "a", as = "date"}]', "as cannot be 'date'; write int"),
        (b'steps = [{cast = "a", as = "int", zone = "UTC"}]', "for as = timestamp"),
        (b'steps = [{cast = "a", as = "timestamp", format = "%d/%m/%Y"}]', "has no offset"),
        (b'steps = [{cast = "a", as = "timestamp", zone = "Mars/X"}]', "no such time zone"),
        (b'steps = [{set = "a", value = 2025-12-28}]', "write times as text"),
        (b'decode = "utf-16"\nsteps = []', "latin-1 or cp1252"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(body: bytes, problem: str) -> None:
    """The file, the step and what to write are named, before any record is read."""
    with pytest.raises(BadRule, match=problem) as caught:
        parse_rule_file(body, "my-rule")
    assert str(caught.value).startswith("my-rule: ")


@given(st.lists(st.text("ab.\\", min_size=1), min_size=1))
def test_a_path_reads_back(names: list[str]) -> None:
    """Dots that belong to names survive; a backslash before one cannot be written and is not."""
    path = FieldPath(tuple(name.replace("\\", "") or "x" for name in names))
    assert FieldPath.parse(str(path)) == path
