"""Sources for a person, the worst first."""

from rich.console import Console

from millrace.investigate.sources import SourceReport
from millrace_cli.tables.shapes import (
    bar,
    duration,
    folding,
    percent,
    quantile_cells,
    show_coverage,
    text,
)

_NUMBERS = ("records", "wrong", "rejected", "again", "late", "p99 lag", "silent for")
_WIDE = 130
"""Columns of a terminal from which on there is room for bars."""
_NARROW = 100
"""Columns up to which sources have more room than lines between them."""


def show_sources(console: Console, report: SourceReport) -> None:
    """Print the sources with the numbers that make one a problem."""
    show_coverage(console, report.coverage)
    if not report.rows:
        console.print("Nothing arrived then.")
        return
    wide = console.width >= _WIDE
    table = folding("source", *_NUMBERS, *([""] if wide else []), right=_NUMBERS)
    if console.width < _NARROW:
        table.box, table.pad_edge, table.padding = None, False, (0, 1, 0, 0)
    largest = max(row.problem_share for row in report.rows)
    for row in report.rows:
        drawn = [bar(row.problem_share, largest)] if wide else []
        table.add_row(
            text(row.source), f"{row.records:,}", percent(row.problem_share), f"{row.rejected:,}",
            f"{row.duplicates:,}", f"{row.late:,}", quantile_cells(row.lag)[2],
            duration(None if row.silent_s is None else row.silent_s * 1000), *drawn,
        )  # fmt: skip
    console.print(table)
    for row in report.rows:
        if row.conflicts:
            console.print(f"{text(row.source)}: {row.conflicts:,} came again with another content")
    for row in report.rows:
        if row.reasons:
            reasons = ", ".join(f"{text(reason)} ({count:,})" for reason, count in row.reasons)
            console.print(f"{text(row.source)} was rejected for: {reasons}")
    if report.unreadable_objects:
        console.print(f"[yellow]{report.unreadable_objects:,} quarantine objects are gone[/yellow]")
