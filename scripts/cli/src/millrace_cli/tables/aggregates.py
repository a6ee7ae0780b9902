"""Rows of aggregates as people see them: scope by scope, each named whole on a line of its own."""

from collections.abc import Iterable
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from millrace.aggregates import AggregateRow
from millrace.aws.aggregate_fields import row_fields
from millrace_cli import render

_COLUMNS = ("metric", "from", "value", "events", "version")
_NUMBERS = {"value", "events"}


def show_aggregates(rows: Iterable[AggregateRow]) -> None:
    """Print rows below their scopes, which fold in no terminal: people copy them."""
    console = render.out()
    cells = [(row_fields(row)["scope"], _cells(row)) for row in rows]
    if not cells:
        console.print(
            "No aggregates: look at the scope, the times, --window (hour or day) and --version."
        )
        return
    columns = zip(_COLUMNS, *(each for _, each in cells), strict=True)
    widths = [max(map(len, column)) for column in columns]
    header = True
    for scope, group in groupby(cells, key=lambda each: each[0]):
        console.print(scope, markup=False, style="bold")
        _show_rows(console, [each for _, each in group], widths, header=header)
        header = False


def show_scopes(scopes: Iterable[str]) -> None:
    """Print the scopes that have rows, one a line."""
    console = render.out()
    for scope in scopes:
        console.print(scope, markup=False)


def _cells(row: AggregateRow) -> tuple[str, ...]:
    """Return what `_COLUMNS` names."""
    fields = row_fields(row)
    return (
        fields["metric_name"], fields["window_start"], f"{fields['value']:,}",
        f"{fields['event_count']:,}", fields["version"],
    )  # fmt: skip


def _show_rows(
    console: Console, rows: Iterable[tuple[str, ...]], widths: Iterable[int], *, header: bool
) -> None:
    """Print one scope's rows, as wide as the widest of all scopes; only a long metric folds."""
    table = Table(box=None, show_header=header, header_style="dim", pad_edge=False)
    table.add_column(width=1)
    for name, width in zip(_COLUMNS, widths, strict=True):
        table.add_column(
            name,
            min_width=None if name == "metric" else width,
            width=width if name == "metric" else None,
            overflow="fold",
            no_wrap=name != "metric",
            justify="right" if name in _NUMBERS else "left",
        )
    for cells in rows:
        table.add_row("", *map(escape, cells))
    console.print(table, soft_wrap=False)
