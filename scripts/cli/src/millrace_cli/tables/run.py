"""The account of a run as people see it."""

from collections.abc import Iterable, Sequence
from itertools import chain

from rich.table import Table

from millrace.aggregates import AggregateRow, Scope
from millrace_cli import render
from millrace_cli.run import RunReport
from millrace_cli.tables.aggregates import show_aggregates

_SHOWN_HOURS = 8


def show_run(report: RunReport) -> None:
    """Print the account of a run."""
    console = render.out()
    console.print(f"Went in: {report.sent.what}, {report.sent.bytes:,} bytes")
    table = Table(title="What came out of each stage", title_justify="left")
    table.add_column("stage")
    table.add_column("this run", justify="right")
    table.add_column("in total", justify="right")
    table.add_row("sent", f"{report.sent.records:,}", "")
    for name in render.STAGES:
        now, total = getattr(report.run, name), getattr(report.status.totals, name)
        table.add_row(name, f"{now:,}", f"{total:,}")
    console.print(table)
    counts = report.run
    console.print(
        f"received {counts.received:,} = accepted {counts.accepted:,} + duplicates "
        f"{counts.duplicates:,} + quarantined {counts.quarantined:,}"
    )
    if report.quarantine:
        render.show_reasons(console, "Quarantined, by reason", report.quarantine)
    if report.aggregates:
        show_aggregates(_latest(report.aggregates))
        console.print(f"The last {_SHOWN_HOURS} hours of each scope; more: `millrace aggregates`")
    day = f"{report.aggregates[0].key.window.start:%Y-%m-%d}" if report.aggregates else "DATE"
    console.print(f"Archive: {report.archive_location} (see `millrace archive ls {day}`)")
    console.print(f"{report.seconds:.1f} s from the first event to the last")
    render.show_gaps(console, report.gaps)


def _latest(rows: Sequence[AggregateRow]) -> Iterable[AggregateRow]:
    by_scope: dict[Scope, list[AggregateRow]] = {}
    for row in rows:
        by_scope.setdefault(row.key.scope, []).append(row)
    return chain.from_iterable(group[-_SHOWN_HOURS:] for group in by_scope.values())
