"""Turns rows of any shape into events: `--map event_time=time --map source=const:wikipedia`.

The result depends on the row and the mapping alone. Nothing that varies is added (no send time, no
run id), because an event without an id is identified by its content.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson

from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.rows import BadRow, Row

CONST = "const:"
PAYLOAD = "payload"
REQUIRED_FIELDS = ("event_type", "entity_id", "event_time")
EVENT_FIELDS = (
    *REQUIRED_FIELDS,
    "event_id",
    "idempotency_key",
    "source",
    "client_id",
    PAYLOAD,
    "schema_version",
    "correlation_id",
)
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Fields:
    """Which fields rows are mapped to."""

    noun: str
    required: tuple[str, ...]
    known: tuple[str, ...] | None
    """All of them; None if any name may be one."""


_EVENT = Fields("event", REQUIRED_FIELDS, EVENT_FIELDS)


@dataclass(frozen=True, slots=True)
class FieldRule:
    """Where one field comes from: a constant, or a column (dots go into objects)."""

    field: str
    path: tuple[str, ...] = ()
    const: str | None = None


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """All rules, in the order in which they were given; that is the order of the event's keys."""

    rules: tuple[FieldRule, ...]

    def apply(self, row: Row) -> dict[str, object]:
        """Return the event made of `row`; the row's own bytes are its payload unless mapped.

        A null or empty column leaves its field out, so that the contract's default applies (or its
        check fails, in the pipeline, with its own reason).

        Raises:
            BadRow: the row lacks a column that the mapping names.
        """
        values = mapped(row, self.rules)
        event = {field: _typed(field, value) for field, value in values.items()}
        if all(rule.field != PAYLOAD for rule in self.rules):
            event[PAYLOAD] = orjson.Fragment(row.data)
        return event


def parse_mapping(options: Iterable[str]) -> FieldMapping | None:
    """Return the mapping in `FIELD=COLUMN` and `FIELD=const:VALUE` options; None if there is none.

    One option may hold several pairs, separated by white space (as `make run MAP="..."` gives
    them); a word without `=` belongs to the value before it (`entity_id=User name`).

    Raises:
        CommandError: a pair is malformed, a field is unknown or mapped twice, a required one is
            not mapped.
    """
    rules = parse_rules(options, _EVENT)
    if any(rule.field == PAYLOAD and rule.const is not None for rule in rules):
        raise _usage("payload cannot be a constant", "map it to a column that holds an object")
    return FieldMapping(rules) if rules else None


def parse_rules(options: Iterable[str], fields: Fields) -> tuple[FieldRule, ...]:
    """Return the rules in `FIELD=COLUMN` and `FIELD=const:VALUE` options, in order.

    Raises:
        CommandError: a pair is malformed, a field is unknown or mapped twice, a required one is
            not mapped although others are.
    """
    rules = tuple(_rule(pair, fields) for option in options for pair in _pairs(option))
    names = [rule.field for rule in rules]
    for name in names:
        if names.count(name) > 1:
            raise _usage(f"--map names {name} {names.count(name)} times", "keep one of them")
    for name in fields.required if rules else ():
        if name not in names:
            raise _usage(
                f"--map does not say where {name} comes from",
                f"add {name}=COLUMN or {name}=const:VALUE",
            )
    return rules


def mapped(row: Row, rules: Iterable[FieldRule]) -> dict[str, object]:
    """Return the fields that `rules` make of `row`; a null or empty column leaves its field out.

    Raises:
        BadRow: the row lacks a column that a rule names.
    """
    values = {
        rule.field: rule.const if rule.const is not None else _column(row, rule) for rule in rules
    }
    return {name: value for name, value in values.items() if value not in (None, "")}


def _pairs(option: str) -> list[str]:
    pairs: list[str] = []
    for word in option.split():
        if "=" in word or not pairs:
            pairs.append(word)
        else:  # a value with a space in it
            pairs[-1] += f" {word}"
    return pairs


def _rule(pair: str, fields: Fields) -> FieldRule:
    field, equals, origin = pair.partition("=")
    if not (field and equals and origin):
        raise _usage(f"--map {pair!r} is malformed", "write FIELD=COLUMN or FIELD=const:VALUE")
    if fields.known is not None and field not in fields.known:
        raise _usage(
            f"--map names an unknown {fields.noun} field, {field}", f"use {_listed(fields.known)}"
        )
    if origin.startswith(CONST):
        return FieldRule(field, const=origin.removeprefix(CONST))
    return FieldRule(field, path=tuple(origin.split(".")))


def _column(row: Row, rule: FieldRule) -> object:
    whole = ".".join(rule.path)
    if whole in row.fields:  # a column whose own name has dots comes before a path
        return row.fields[whole]
    value: object = row.fields
    for name in rule.path:
        value = value.get(name, _MISSING) if isinstance(value, Mapping) else _MISSING
        if value is _MISSING:
            raise BadRow(
                row.line,
                f"no column {whole!r}, which --map {rule.field}={whole} names",
                f"the columns are {_listed(row.fields)}",
            )
    return value


def _typed(field: str, value: object) -> object:
    """Return `value` in the type that the contract asks for where there is one way to read it."""
    if field == "schema_version":
        return int(value) if isinstance(value, str) and value.isdecimal() else value
    if field == PAYLOAD:
        return _parsed(value) if isinstance(value, str) else value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def _parsed(cell: str) -> object:
    """Return the object written in a CSV cell; anything else stays text, for ingest to judge."""
    try:
        parsed = orjson.loads(cell)
    except orjson.JSONDecodeError:
        return cell
    return parsed if isinstance(parsed, dict) else cell


def _listed(names: Iterable[str], limit: int = 20) -> str:
    ordered = list(names)
    more = f" and {len(ordered) - limit} more" if len(ordered) > limit else ""
    return ", ".join(ordered[:limit]) + more


def _usage(problem: str, remedy: str) -> CommandError:
    return CommandError(problem, remedy, ExitCode.USAGE)
