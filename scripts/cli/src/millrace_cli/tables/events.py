"""An entity's events as a table to look at, or as CSV."""

import csv
from collections.abc import Iterable, Mapping
from itertools import chain, islice
from typing import Any, TextIO

import orjson
from rich.console import Console

from millrace_cli.tables.shapes import duration, folding, text

_SHOWN = 500
"""Rows of a table: more are for CSV or NDJSON, which come as they are read."""
_COLUMNS = (
    "event_id", "event_type", "entity_id", "event_time", "source", "arrival_time", "lag_ms",
    "duplicate", "commit_id", "line",
)  # fmt: skip


def write_events(rows: Iterable[Mapping[str, Any]], file: TextIO) -> None:
    """Write rows as CSV with a header; payloads, if they are there, as JSON in the last column."""
    writer = csv.writer(file, lineterminator="\n")
    waiting = iter(rows)
    first = next(waiting, None)
    columns = [*_COLUMNS, "payload"] if first and "payload" in first else [*_COLUMNS]
    writer.writerow(columns)
    for row in chain([first] if first else [], waiting):
        cells = dict(row)
        if "payload" in cells:
            cells["payload"] = orjson.dumps(cells["payload"]).decode()
        writer.writerow(cells[column] for column in columns)
    file.flush()


def show_events(console: Console, rows: Iterable[Mapping[str, Any]]) -> None:
    """Print the first rows as a table."""
    waiting = iter(rows)
    table = folding("happened", "type", "source", "event", "lag", "", right=("happened", "lag"))
    payloads = False
    for row in islice(waiting, _SHOWN):
        cells = [
            row["event_time"], text(row["event_type"]), text(row["source"]), text(row["event_id"]),
            duration(row["lag_ms"]), "copy" if row["duplicate"] else "",
        ]  # fmt: skip
        if "payload" in row:
            if not payloads:
                table.add_column("payload", overflow="fold")
                payloads = True
            cells.append(text(orjson.dumps(row["payload"]).decode()))
        table.add_row(*cells)
    console.print(table if table.row_count else "No event of this entity at that time.")
    if next(waiting, None) is not None:
        console.print(f"The first {_SHOWN}; for all of them leave out --table.")
