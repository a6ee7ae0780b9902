"""Repetitions for a person."""

from rich.console import Console

from millrace.investigate.duplicates import DuplicateReport
from millrace.times import format_ms
from millrace_cli.tables.shapes import (
    duration,
    folding,
    percent,
    show_coverage,
    show_distribution,
    text,
)


def show_duplicates(console: Console, report: DuplicateReport) -> None:
    """Print the rates, the entities, the time between copies, and the copies."""
    show_coverage(console, report.coverage)
    if not report.duplicates:
        console.print("[green]Nothing came again.[/green]")
        return
    table = folding(
        "source", "type", "events", "again", "share", "changed",
        right=("events", "again", "share", "changed"), title="What came again",
    )  # fmt: skip
    for rate in report.rates:
        table.add_row(
            text(rate.source), text(rate.event_type), f"{rate.events:,}", f"{rate.duplicates:,}",
            percent(rate.share), f"{rate.conflicts:,}",
        )  # fmt: skip
    console.print(table)
    show_distribution(console, "After the first arrival", report.between)
    worst = ", ".join(f"{text(entity)} ({count:,})" for entity, count in report.worst_entities)
    console.print(f"Most often of: {worst or '-'}")
    listed = folding("event", "source", "entity", "arrived again", "after", "content")
    for each in report.repetitions:
        listed.add_row(
            text(each.event.event_id), text(each.event.source), text(each.event.entity_id),
            format_ms(each.event.arrival_time), duration(each.after_ms),
            "[red]another[/red]" if each.conflict else "the same",
        )  # fmt: skip
    console.print(listed)
    left = report.duplicates - len(report.repetitions) - report.unreadable
    if left > 0:
        console.print(f"{left:,} more (--list shows more of them)")
    if report.unreadable:
        console.print(f"[yellow]{report.unreadable:,} have no raw object any more[/yellow]")
