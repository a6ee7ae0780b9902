"""An aggregate row as flat fields, as commands and the HTTP API tell it."""

from typing import Any

import orjson

from millrace.aggregates import AggregateRow
from millrace.aws.aggregates import scope_key, stored_bounds
from millrace.times import format_ms


def row_fields(row: AggregateRow) -> dict[str, Any]:
    """Return a row flat, with times as text and its exact value."""
    first, last = stored_bounds(row.key.window)
    return {
        "scope": scope_key(row.key.scope),
        "metric_name": row.key.metric,
        "window": row.key.window.width.value,
        "value": row.value,
        "window_start": first,
        "window_end": last,
        "version": row.key.version,
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
