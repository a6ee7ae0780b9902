"""Metric definitions: data in TOML, immutable under the hash of their bytes (docs/metrics.md)."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from millrace.aggregates import Dimension
from millrace.errors import ConfigError
from millrace.windows import WindowWidth

_UNION_FAULTS = frozenset({"union_tag_not_found", "union_tag_invalid"})
_REMEDIES = {
    "missing": "it is missing: add it",
    "string_pattern_mismatch": "must be 1 to 64 of a-z, 0-9 and `_`, the first a letter",
    "extra_forbidden": "a metric of this kind has no such field: remove it, or correct its name",
}
_PAYLOAD_PATH = re.compile(r"payload(\.[^.]+)+")

T = TypeVar("T")


class Mode(StrEnum):
    """When a metric is computed: on live events (and replays), or by replays alone."""

    LIVE = "live"
    REPLAY = "replay"


def _no_repeats(values: tuple[T, ...]) -> tuple[T, ...]:
    if len(set(values)) != len(values):
        raise ValueError("names something twice")
    return values


@dataclass(frozen=True, slots=True, order=True)
class Grouping:
    """What a metric is counted by: a dimension and, for the payload, where in it."""

    dimension: Dimension
    path: tuple[str, ...] = ()
    """The names to follow inside the payload."""

    @classmethod
    def parse(cls, text: object) -> "Grouping":
        """Return the grouping that a definition calls `type`, `experiment` or `payload.country`.

        Raises:
            ValueError: it is none; the message says what there is.
        """
        if isinstance(text, str):
            if text.startswith("payload."):
                return cls(Dimension.PAYLOAD, payload_path(text))
            if text in _GROUPINGS:
                return cls(Dimension(text))
        raise ValueError(f"must be one of {', '.join(_GROUPINGS)}, or payload.<name>")

    def __str__(self) -> str:
        """Name it as definitions do."""
        return ".".join((self.dimension.value, *self.path))


_GROUPINGS = tuple(each.value for each in Dimension if each is not Dimension.PAYLOAD)


def payload_path(text: str) -> tuple[str, ...]:
    """Return the names in `payload.a.b`, so a name that holds a dot cannot be reached.

    Raises:
        ValueError: it is no such path, or longer than 256 characters.
    """
    if len(text) > 256 or _PAYLOAD_PATH.fullmatch(text) is None:
        raise ValueError("must be a path like payload.page.size, at most 256 characters long")
    return tuple(text.split(".")[1:])


def _checked_path(text: str) -> str:
    payload_path(text)
    return text


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}\z")]
EventType = Annotated[str, StringConstraints(min_length=1, max_length=128)]
PayloadPath = Annotated[str, AfterValidator(_checked_path)]
GroupingField = Annotated[Grouping, PlainValidator(Grouping.parse)]


class _Metric(BaseModel):
    """What every kind of metric has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    dimensions: Annotated[
        tuple[GroupingField, ...], Field(min_length=1), AfterValidator(_no_repeats)
    ]
    windows: Annotated[tuple[WindowWidth, ...], Field(min_length=1), AfterValidator(_no_repeats)]
    event_types: Annotated[tuple[EventType, ...], AfterValidator(_no_repeats)] = ()
    """The types that count; empty means all."""
    mode: Mode = Mode.LIVE

    def counts(self, event_type: str) -> bool:
        """Tell whether events of this type belong to the metric."""
        return not self.event_types or event_type in self.event_types


class CountMetric(_Metric):
    """How many events there were."""

    kind: Literal["count"]


class SumMetric(_Metric):
    """The sum of a number in the events' payloads."""

    kind: Literal["sum"]
    value: PayloadPath
    """Where the number is: `payload.a.b`."""

    @property
    def path(self) -> tuple[str, ...]:
        """The names to follow inside the payload."""
        return payload_path(self.value)


class UniqueMetric(_Metric):
    """How many distinct entities the events name."""

    kind: Literal["unique"]
    of: Literal["entity"]


Metric = CountMetric | SumMetric | UniqueMetric
_ADAPTER: TypeAdapter[Metric] = TypeAdapter(Annotated[Metric, Field(discriminator="kind")])


@dataclass(frozen=True, slots=True)
class Definitions:
    """All metrics of one version of the file."""

    version: str
    metrics: tuple[Metric, ...]
    """In the file's order; no two have the same name."""

    @property
    def live(self) -> tuple[Metric, ...]:
        """The metrics that are computed as events arrive."""
        return tuple(metric for metric in self.metrics if metric.mode is Mode.LIVE)


def version_of(data: bytes) -> str:
    """Return the version of a definitions file: the first 16 hex digits of its SHA-256."""
    return sha256(data).hexdigest()[:16]


def parse(data: bytes, name: str) -> Definitions:
    """Return the definitions in a TOML file; `name` is how errors call the file.

    Raises:
        ConfigError: names the file and, where it applies, the metric and the field.
    """
    metrics: list[Metric] = []
    for number, table in enumerate(_tables(data, name), start=1):
        metric = _metric(table, f"{name}: {_label(table, number)}")
        if any(metric.name == other.name for other in metrics):
            raise ConfigError(
                f"{name}: metric {metric.name}: name: an earlier metric has it: rename one"
            )
        metrics.append(metric)
    return Definitions(version_of(data), tuple(metrics))


def _tables(data: bytes, name: str) -> Sequence[object]:
    try:
        document = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as err:
        raise ConfigError(f"{name}: not TOML: {err}") from err
    tables = document.pop("metric", None)
    if document:
        raise ConfigError(f"{name}: unknown `{min(document)}`; metrics are [[metric]] tables")
    if not isinstance(tables, list) or not tables:
        raise ConfigError(f"{name}: no metric; each one is a [[metric]] table")
    return tables


def _label(table: object, number: int) -> str:
    named = table.get("name") if isinstance(table, Mapping) else None
    return f"metric {named}" if isinstance(named, str) else f"metric number {number}"


def _metric(table: object, where: str) -> Metric:
    if not isinstance(table, Mapping):
        raise ConfigError(f"{where}: not a table; write it as [[metric]]")
    try:
        return _ADAPTER.validate_python(table)
    except ValidationError as err:
        raise ConfigError(f"{where}: {'; '.join(_faults(err))} (see docs/metrics.md)") from err


def _faults(err: ValidationError) -> list[str]:
    """Return `field: what is wrong`, one for each field."""
    by_field: dict[str, str] = {}
    for fault in err.errors(include_url=False, include_input=False, include_context=False):
        if fault["type"] in _UNION_FAULTS:
            return ["kind: must be one of count, sum, unique"]
        field, *within = fault["loc"][1:]  # pydantic puts the kind in front
        place = ".".join(map(str, (field, *within)))
        problem = _REMEDIES.get(fault["type"], fault["msg"].removeprefix("Value error, "))
        by_field.setdefault(str(field), f"{place}: {problem}")
    return list(by_field.values())
