"""The aggregates table: its keys, built here alone, and reading it.

The row of a hot scope is written as several items, its shards, whose sort keys are the row's with
`#<shard>` behind it (docs/adr/0013). Metric names hold no `#`, so a row and its shards stand side
by side in every query, and reading adds them up without having to know which scopes are hot.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from functools import reduce
from itertools import groupby
from typing import TYPE_CHECKING, Any

from millrace.aggregates import (
    LIVE,
    MIXED,
    SAMPLES,
    AggregateKey,
    AggregateRow,
    Dimension,
    Scope,
    Version,
)
from millrace.aws.errors import translated
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.keys import decode_id, encode_id
from millrace.times import parse_rfc3339
from millrace.windows import Window, WindowWidth, window_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from millrace.aws.ledger_items import Item

_JOINS = {Dimension.EXPERIMENT: "#VARIANT#", Dimension.PAYLOAD: "#VALUE#"}
_EXACT = Context(prec=40)  # two numbers of DynamoDB's 38 digits; Python's own default is 28

BY_VERSION_INDEX = "by_version"
"""Sparse: `replay_version`, which live rows do not have, and PK."""

PROMOTED_VERSION = "promoted_version"
"""On a live row: the version of the replay whose value was promoted to it (docs/adr/0016)."""


def scope_key(scope: Scope) -> str:
    """Return the partition key of a scope.

    `TYPE#edit`, `EXPERIMENT#e1#VARIANT#A`, `PAYLOAD#page.country#VALUE#de`.
    """
    join = _JOINS.get(scope.dimension, "")
    return f"{scope.dimension.name}#{join.join(map(encode_id, scope.ids))}"


def scope_of(partition_key: str) -> Scope:
    """Return the scope that `scope_key` wrote; of a very long id its beginning and its hash.

    Raises:
        ValueError: the text is no partition key of this table.
    """
    name, _, ids = partition_key.partition("#")
    if name not in Dimension.__members__ or not ids:
        known = ", ".join(f"{each}#..." for each in Dimension.__members__)
        raise ValueError(f"{partition_key!r} is not a scope; it is one of {known}")
    dimension = Dimension[name]
    join = _JOINS.get(dimension)
    return Scope(dimension, tuple(map(decode_id, ids.split(join, 1) if join else [ids])))


def row_sort_key(key: AggregateKey) -> str:
    """Return the sort key of a row: `HOUR#2015-09-12T13#VER#live#event_count`."""
    return f"{key.window.label}#VER#{key.version}#{key.metric}"


def row_key(key: AggregateKey, shard: int | None = None) -> "Item":
    """Return the whole key of a row, or of one of its shards."""
    sort_key = row_sort_key(key) if shard is None else f"{row_sort_key(key)}#{shard}"
    return to_attributes({"PK": scope_key(key.scope), "SK": sort_key})


def unique_key(key: AggregateKey) -> str:
    """Return the partition of a unique row's markers, in the markers table.

    `UNIQUE#TYPE#edit#HOUR#2015-09-12T13#VER#live#users`
    """
    return f"UNIQUE#{scope_key(key.scope)}#{row_sort_key(key)}"


def stored_bounds(window: Window) -> tuple[str, str]:
    """Return a window's first and last second, as rows hold them; code compares half-open."""
    return _second(window.start), _second(window.end - timedelta(seconds=1))


class AggregatesReader:
    """Reads the rows of one scope; strongly consistent, so a settled pipeline reads exact."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def scopes(self) -> Iterator[Scope]:
        """Yield each scope that has rows, once; reads the keys of the whole table.

        Raises:
            ConfigError, RetryableError: the table cannot be read (while iterating).
        """
        # A scan comes partition by partition, so one scope's items stand together:
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table, ProjectionExpression="PK"
        )
        with translated("Scan aggregates"):
            keys = (from_attributes(item)["PK"] for page in pages for item in page["Items"])
            for key, _ in groupby(keys):
                yield scope_of(key)

    def scopes_of(self, version: Version) -> Iterator[Scope]:
        """Yield each scope that has rows of a replay's version, once.

        The index holds replayed rows alone, and is eventually consistent.

        Raises:
            ConfigError, RetryableError: the index cannot be read (while iterating).
        """
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=BY_VERSION_INDEX,
            KeyConditionExpression="replay_version = :version",
            ExpressionAttributeValues=to_attributes({":version": version}),
        )
        with translated("Query aggregates by version"):
            keys = (from_attributes(item)["PK"] for page in pages for item in page["Items"])
            for key, _ in groupby(keys):
                yield scope_of(key)

    def live_scopes(
        self, dimensions: Collection[Dimension], start: datetime, end: datetime
    ) -> Iterator[Scope]:
        """Yield scopes of live rows whose window begins from `start` to `end`, each once.

        Reads the whole table, eventually consistent.

        Raises:
            ConfigError, RetryableError: the table cannot be read (while iterating).
        """
        kinds = {f":{dimension.value}": f"{dimension.name}#" for dimension in sorted(dimensions)}
        of_kind = " OR ".join(f"begins_with(PK, {name})" for name in kinds)
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            ProjectionExpression="PK",
            FilterExpression=(
                f"version = :live AND window_start BETWEEN :start AND :end AND ({of_kind})"
            ),
            ExpressionAttributeValues=to_attributes(
                {":live": LIVE, ":start": _second(start), ":end": _second(end)} | kinds
            ),
        )
        with translated("Scan aggregates"):
            keys = (from_attributes(item)["PK"] for page in pages for item in page["Items"])
            for key, _ in groupby(keys):
                yield scope_of(key)

    def name(self, scope: Scope) -> str:
        """Return how a scope is called: `TYPE#edit`."""
        return scope_key(scope)

    def rows(self, scope: Scope, window: Window) -> Iterator[AggregateRow]:
        """Yield the rows of one scope and window: every metric and version.

        Raises:
            ConfigError, RetryableError: the table cannot be read (while iterating).
        """
        return self.query(scope, window.width, start=window.start, end=window.end, version=None)

    def query(
        self,
        scope: Scope,
        width: WindowWidth,
        *,
        metric: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        version: Version | None = LIVE,
    ) -> Iterator[AggregateRow]:
        """Yield the rows whose window begins at `start` or later and before `end`.

        In order of time, then version, then metric; `version` None means every version.

        Raises:
            ConfigError, RetryableError: the table cannot be read (while iterating).
        """
        low, high = _bound(start, width, "#"), _bound(end, width, "$")  # `$` follows `#`
        if low >= high:
            return
        conditions = {"metric_name": metric, "version": version}
        wanted = {name: value for name, value in conditions.items() if value is not None}
        request: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            # No row's key is a bare bound, so BETWEEN (both ends included) is half-open here.
            "KeyConditionExpression": "PK = :scope AND SK BETWEEN :low AND :high",
            "ExpressionAttributeValues": to_attributes(
                {":scope": scope_key(scope), ":low": low, ":high": high}
                | {f":{name}": value for name, value in wanted.items()}
            ),
        }
        if wanted:
            request["FilterExpression"] = " AND ".join(f"#{name} = :{name}" for name in wanted)
            request["ExpressionAttributeNames"] = {f"#{name}": name for name in wanted}
        pages = self._client.get_paginator("query").paginate(**request)
        with translated("Query aggregates"):
            items = (item for page in pages for item in page["Items"])
            rows = (_row(item, scope, width) for item in items)
            for _, shards in groupby(rows, lambda row: row.key):
                yield reduce(_together, shards)


def _bound(at: datetime | None, width: WindowWidth, separator: str) -> str:
    """Return the sort key in front of the first window that begins at `at` or later."""
    if at is None:
        return f"{width.name}{separator}"
    window = window_of(at, width)
    return (window if window.start == at else Window(window.end, width)).label


def _row(item: Mapping[str, Any], scope: Scope, width: WindowWidth) -> AggregateRow:
    row = from_attributes(item)
    window = Window(parse_rfc3339(row["window_start"]), width)
    versions = row["defs_versions"]
    return AggregateRow(
        key=AggregateKey(scope, window, row["metric_name"], Version(row["version"])),
        value=number(row["value"]),
        event_count=int(row["event_count"]),
        input_hash=int(row["input_hash"]),
        sample_event_ids=tuple(row["sample_event_ids"]),
        defs_version=next(iter(versions)) if len(versions) == 1 else MIXED,
        updated_at=parse_rfc3339(row["updated_at"]),
    )


def _together(one: AggregateRow, other: AggregateRow) -> AggregateRow:
    """Return two shards of a row as one; the samples of the lower shard come first."""
    same_definitions = one.defs_version == other.defs_version
    return replace(
        one,
        value=added(one.value, other.value),
        event_count=one.event_count + other.event_count,
        input_hash=one.input_hash + other.input_hash,
        sample_event_ids=(one.sample_event_ids + other.sample_event_ids)[:SAMPLES],
        defs_version=one.defs_version if same_definitions else MIXED,
        updated_at=max(one.updated_at, other.updated_at),
    )


def added(one: int | Decimal, other: int | Decimal) -> int | Decimal:
    """Return the sum of two values of rows, exact; a whole one as int."""
    return number(_EXACT.add(Decimal(one), Decimal(other)))


def number(value: Decimal) -> int | Decimal:
    """Return a number of DynamoDB; a whole one as int."""
    return int(value) if value == value.to_integral_value() else value


def _second(at: datetime) -> str:
    return f"{at.astimezone(UTC).isoformat(timespec='seconds').replace('+00:00', '')}Z"
