"""Rules as people write them: TOML or JSON files, and options of a command.

A file holds `steps`, a list in order, and perhaps `decode`. Each step is one table:
`{rename = "a.b", to = "c"}`, `{set = "a", value = 1}`, `{default = "a", value = "x"}`,
`{cast = "a", as = "timestamp", format = "%d/%m/%Y", zone = "Europe/Berlin"}`, `{drop = "a"}`.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from millrace.errors import MillraceError
from millrace.quarantine.casts import Cast, CastType
from millrace.quarantine.document import ENCODINGS
from millrace.quarantine.paths import FieldPath
from millrace.quarantine.rule import Rule
from millrace.quarantine.steps import (
    CastField,
    DefaultField,
    DropField,
    RenameField,
    SetField,
    Step,
)
from millrace.time_formats import RFC3339

_KEYS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "set": (frozenset({"value"}), frozenset()),
    "default": (frozenset({"value"}), frozenset()),
    "rename": (frozenset({"to"}), frozenset()),
    "cast": (frozenset({"as"}), frozenset({"format", "zone"})),
    "drop": (frozenset(), frozenset()),
}
"""Of each kind of step: what it must say, and what it may."""


class BadRule(MillraceError):
    """The rule cannot be meant; the message names the step and the remedy."""


@dataclass(frozen=True, slots=True)
class RuleOptions:
    """The parts of a rule as options give them; they are applied in the order of the fields."""

    decode: str | None = None
    rename: tuple[str, ...] = ()
    set_: tuple[str, ...] = ()
    default: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """No option was given."""
        return self == RuleOptions()


def parse_rule_file(body: bytes, name: str) -> Rule:
    """Return the rule in a file: JSON if it begins with a brace, else TOML.

    Raises:
        BadRule: with the file, the step and what to write.
    """
    try:
        text = body.decode()
        is_json = text.lstrip().startswith("{")
        fields = orjson.loads(text) if is_json else tomllib.loads(text)
    except ValueError as err:
        raise BadRule(f"{name}: neither TOML nor JSON: {err}") from err
    try:
        return _not_empty(rule_of(fields))
    except BadRule as err:
        raise BadRule(f"{name}: {err}") from err


def rule_of(fields: Mapping[str, Any]) -> Rule:
    """Return the rule that `Rule.to_fields` or a file writes.

    Raises:
        BadRule: it cannot be meant.
    """
    _only(fields, {"steps", "decode"}, "the rule")
    steps = fields.get("steps", [])
    if not isinstance(steps, list):
        raise BadRule('steps must be a list: steps = [{drop = "a"}]')
    return _rule([_step(each, n) for n, each in enumerate(steps, 1)], fields.get("decode"))


def rule_of_options(options: RuleOptions) -> Rule:
    """Return the rule in options: renames, then sets, defaults, casts and drops.

    Raises:
        BadRule: an option cannot be meant.
    """
    steps: list[dict[str, Any]] = []
    steps += [{"rename": a, "to": b} for a, b in _pairs("--rename", options.rename, "OLD=NEW")]
    steps += _valued("set", options.set_)
    steps += _valued("default", options.default)
    steps += [_cast_fields(*each) for each in _pairs("--cast", options.cast, "PATH=TYPE")]
    steps += [{"drop": path} for path in options.drop]
    return _not_empty(_rule([_step(each, n) for n, each in enumerate(steps, 1)], options.decode))


def _rule(steps: Iterable[Step], decode: object) -> Rule:
    for encoding in ENCODINGS:
        if decode == encoding:
            return Rule(tuple(steps), encoding)
    if decode is not None:
        raise BadRule(f"decode cannot be {decode!r}; write {' or '.join(ENCODINGS)}")
    return Rule(tuple(steps))


def _not_empty(rule: Rule) -> Rule:
    if rule.changes_nothing:
        raise BadRule("the rule has no step; to send records as they are, say --as-is")
    return rule


def _step(fields: object, number: int) -> Step:
    if not isinstance(fields, Mapping):
        raise BadRule(f"step {number} must be a table")
    kinds = [kind for kind in _KEYS if kind in fields]
    if len(kinds) != 1:
        raise BadRule(f"step {number} must have one of {', '.join(_KEYS)}")
    kind = kinds[0]
    required, optional = _KEYS[kind]
    _only(fields, {kind} | required | optional, f"step {number}")
    if missing := required - fields.keys():
        raise BadRule(f"step {number} ({kind}) does not say {', '.join(sorted(missing))}")
    try:
        return _MAKERS[kind](fields)
    except ValueError as err:
        raise BadRule(f"step {number} ({kind}): {err}") from err


def _only(fields: Mapping[str, Any], known: set[str], what: str) -> None:
    if unknown := sorted(map(str, fields.keys() - known)):
        raise BadRule(f"{what} has the unknown key {unknown[0]!r}; it may have {sorted(known)}")


def _path(value: object) -> FieldPath:
    if not isinstance(value, str):
        raise ValueError(f"a path is text, not {value!r}")  # noqa: TRY004 - one kind of refusal
    return FieldPath.parse(value)


def _value(fields: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a JSON value
    try:
        return orjson.loads(orjson.dumps(fields["value"], option=orjson.OPT_PASSTHROUGH_DATETIME))
    except TypeError as err:
        raise ValueError(f"value is not JSON: {err}; write times as text") from err


def _rename(fields: Mapping[str, Any]) -> Step:
    source, target = _path(fields["rename"]), _path(fields["to"])
    if source == target:
        raise ValueError(f"{source} is renamed to itself")
    return RenameField(source, target)


def _cast(fields: Mapping[str, Any]) -> Step:
    if fields["as"] not in list(CastType):
        raise ValueError(f"as cannot be {fields['as']!r}; write {', '.join(CastType)}")
    to = CastType(fields["as"])
    form, zone = fields.get("format", RFC3339), fields.get("zone")
    if to is not CastType.TIMESTAMP and (form != RFC3339 or zone is not None):
        raise ValueError("format and zone are for as = timestamp")
    return CastField(
        _path(fields["cast"]), Cast(to, str(form), None if zone is None else str(zone))
    )


_MAKERS: Mapping[str, Callable[[Mapping[str, Any]], Step]] = {
    "set": lambda fields: SetField(_path(fields["set"]), _value(fields)),
    "default": lambda fields: DefaultField(_path(fields["default"]), _value(fields)),
    "rename": _rename,
    "cast": _cast,
    "drop": lambda fields: DropField(_path(fields["drop"])),
}


def _pairs(option: str, values: Iterable[str], form: str) -> list[tuple[str, str]]:
    pairs = []
    for value in values:
        left, equals, right = value.partition("=")
        if not (left and equals and right):
            raise BadRule(f"{option} {value!r} is malformed; write {form}")
        pairs.append((left, right))
    return pairs


def _valued(kind: str, values: Iterable[str]) -> list[dict[str, Any]]:
    pairs = _pairs(f"--{kind}", values, "PATH=VALUE")
    return [{kind: path, "value": _json_or_text(text)} for path, text in pairs]


def _json_or_text(text: str) -> object:
    """Return the JSON value that `text` is; what is no JSON is text: `web`."""
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return value


def _cast_fields(path: str, form: str) -> dict[str, Any]:
    """Return the step in PATH=TYPE, PATH=timestamp:FORMAT and PATH=timestamp:FORMAT@ZONE."""
    to, _, rest = form.partition(":")
    fields = {"cast": path, "as": to}
    pattern, at, zone = rest.rpartition("@")
    if not at:
        return fields | ({"format": rest} if rest else {})
    return fields | {"format": pattern or RFC3339, "zone": zone}
