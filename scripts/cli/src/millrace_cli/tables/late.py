"""Late events for a person."""

from rich.console import Console

from millrace.investigate.late import LateReport
from millrace.times import format_ms
from millrace_cli.tables.shapes import duration, folding, show_coverage, show_distribution, text


def show_late(console: Console, report: LateReport) -> None:
    """Print how late events were, and which closed windows they changed."""
    show_coverage(console, report.coverage)
    if not report.late:
        console.print("[green]Nothing came late.[/green]")
        return
    table = folding("source", "type", "events", "late", right=("events", "late"))
    for source, event_type, events, late in report.counts:
        if late:
            table.add_row(text(source), text(event_type), f"{events:,}", f"{late:,}")
    console.print(table)
    show_distribution(console, "Behind the source's highest event time", report.behind)
    windows = folding("window", "late events", "sources", right=("late events",),
                      title="Windows that changed after they had closed")  # fmt: skip
    for changed in report.windows:
        sources = text(", ".join(changed.sources))
        windows.add_row(changed.window.label, f"{changed.events:,}", sources)
    if windows.row_count:
        console.print(windows)
    listed = folding("event", "source", "entity", "happened", "arrived", "behind", "")
    for each in report.events:
        event = each.event
        listed.add_row(
            text(event.event_id), text(event.source), text(event.entity_id),
            format_ms(event.event_time), format_ms(event.arrival_time), duration(each.behind_ms),
            "copy" if each.duplicate else "",
        )  # fmt: skip
    console.print(listed)
    left = report.late - len(report.events) - report.unreadable
    if left > 0:
        console.print(f"{left:,} more (--list shows more of them)")
    if report.unreadable:
        console.print(f"[yellow]{report.unreadable:,} are counted and cannot be named[/yellow]")
