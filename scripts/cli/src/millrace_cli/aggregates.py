"""Aggregate rows of one scope: which windows, which metric, which version."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from millrace.aggregates import LIVE, AggregateRow, Scope, Version
from millrace.aws.aggregates import AggregatesReader, scope_key, scope_of, stored_bounds
from millrace.times import format_ms
from millrace.windows import WindowWidth
from millrace_cli.aws import explained
from millrace_cli.environment import Environment
from millrace_cli.errors import CommandError, ExitCode


@dataclass(frozen=True, slots=True)
class AggregateQuery:
    """Which rows of a scope to return; None means any."""

    scope: Scope
    window: WindowWidth = WindowWidth.HOUR
    metric: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    """Windows that start before it: half-open, as windows are."""
    version: Version = LIVE


def parse_scope(text: str) -> Scope:
    """Return the scope in `TYPE#edit` or `EXPERIMENT#e1#VARIANT#A`, as the table's keys say it.

    Ids may be written as they are; only a `%` or `#VARIANT#` inside one has to be percent-encoded.

    Raises:
        CommandError: it is not `KIND#id`, or its kind is unknown.
    """
    try:
        return scope_of(text)
    except ValueError as err:
        raise CommandError(str(err), "write it like TYPE#edit", ExitCode.USAGE) from err


def parse_instant(text: str, option: str) -> datetime:
    """Return the instant in `2015-09-12`, `2015-09-12T13` or RFC 3339; without offset it is UTC.

    Raises:
        CommandError: it is none of them.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as err:
        raise CommandError(
            f"{option} {text!r} is no time", "write 2015-09-12 or 2015-09-12T13", ExitCode.USAGE
        ) from err
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


class AggregateTable:
    """The aggregates table of one environment."""

    def __init__(self, environment: Environment) -> None:
        client = environment.clients.dynamodb()
        self._reader = AggregatesReader(client, environment.outputs.tables.aggregates)

    def rows(self, query: AggregateQuery) -> Iterator[AggregateRow]:
        """Yield the rows in order of time, then metric.

        Raises:
            CommandError: the table cannot be read.
        """
        with explained("read the aggregates"):
            yield from self._reader.query(
                query.scope,
                query.window,
                metric=query.metric,
                start=query.start,
                end=query.end,
                version=query.version,
            )


def row_fields(row: AggregateRow) -> dict[str, Any]:
    """Return a row flat, with times as text and its exact value."""
    first, last = stored_bounds(row.key.window)
    return {
        "scope": scope_key(row.key.scope),
        "metric": row.key.metric,
        "window": row.key.window.width.value,
        "window_start": first,
        "window_end": last,
        "version": row.key.version,
        "value": row.value,
        "event_count": row.event_count,
        "input_hash": str(row.input_hash),  # beyond what JSON readers take for a number
        "sample_event_ids": list(row.sample_event_ids),
        "defs_version": row.defs_version,
        "updated_at": format_ms(row.updated_at),
    }


def row_json(row: AggregateRow) -> dict[str, Any]:
    """Return a row for orjson, its value a number with every digit that the table holds.

    orjson itself takes no Decimal and no int beyond 64 bits.
    """
    return row_fields(row) | {"value": orjson.Fragment(str(row.value))}
