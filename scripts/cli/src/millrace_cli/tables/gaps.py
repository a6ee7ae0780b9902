"""Silences for a person."""

from rich.console import Console

from millrace.investigate.gaps import GapReport
from millrace.times import format_ms, from_epoch_ms
from millrace_cli.tables.shapes import duration, folding, text


def show_gaps(console: Console, report: GapReport) -> None:
    """Print the silences and the quiet hours, with what is usual."""
    subject = report.subject
    name = f"entity {subject.entity_id}" if subject.entity_id else f"source {subject.source}"
    learnt = format_ms(report.learnt_from)
    console.print(f"{report.events:,} events of {text(name)} since {learnt}")
    if report.covered_to is not None:
        at = format_ms(report.covered_to)
        console.print(
            f"[yellow]The answer is not whole: its {report.ended_by} ran out.[/yellow] "
            f"Allow more (--max-pages, --deadline), or go on with --from {at}"
        )
    if report.note:
        console.print(f"[yellow]{text(report.note)}[/yellow]")
    elif not report.silences:
        console.print("[green]No silence.[/green]")
    table = folding("silent from", "to", "for", "usual events", "by chance",
                    right=("for", "usual events", "by chance"))  # fmt: skip
    for each in report.silences:
        interval, told = each.interval, each.as_json()
        table.add_row(
            told["from"], f"{told['to']}{' (still)' if interval.open else ''}",
            duration(interval.duration_ms), f"{interval.expected:,.1f}",
            "-" if each.by_chance is None else f"{each.by_chance:.1g}",
        )  # fmt: skip
    if table.row_count:
        console.print(table)
    quiet = folding("quiet hour", "events", "usual events", "by chance",
                    right=("events", "usual events", "by chance"))  # fmt: skip
    for hour in report.quiet:
        quiet.add_row(
            format_ms(from_epoch_ms(hour.begin_ms)), f"{hour.events:,}", f"{hour.usual:,.1f}",
            f"{hour.by_chance:.1g}",
        )  # fmt: skip
    if quiet.row_count:
        console.print(quiet)
