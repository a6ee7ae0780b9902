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

_NUMBERS = ("records", "wrong", "rejected", "again", "changed", "late", "p50", "p99", "silent for")


def show_sources(console: Console, report: SourceReport) -> None:
    """Print the sources with the numbers that make one a problem."""
    show_coverage(console, report.coverage)
    if not report.rows:
        console.print("Nothing arrived then.")
        return
    table = folding("source", *_NUMBERS, "", right=_NUMBERS)
    largest = max(row.problem_share for row in report.rows)
    for row in report.rows:
        p50, _, p99, _ = quantile_cells(row.lag)
        silent = None if row.silent_s is None else row.silent_s * 1000
        table.add_row(
            text(row.source), f"{row.records:,}", percent(row.problem_share),
            f"{row.rejected:,}", f"{row.duplicates:,}", f"{row.conflicts:,}", f"{row.late:,}",
            p50, p99, duration(silent), bar(row.problem_share, largest),
        )  # fmt: skip
    console.print(table)
    for row in report.rows:
        if row.reasons:
            reasons = ", ".join(f"{text(reason)} ({count:,})" for reason, count in row.reasons)
            console.print(f"{text(row.source)} was rejected for: {reasons}")
    if report.unreadable_objects:
        console.print(f"[yellow]{report.unreadable_objects:,} quarantine objects are gone[/yellow]")
