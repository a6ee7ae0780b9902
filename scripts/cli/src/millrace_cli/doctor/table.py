"""What people see of the doctor's findings."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from millrace_cli import render
from millrace_cli.doctor.findings import Result, State


def show_checks(results: Sequence[Result]) -> None:
    """Print what the doctor found, and what to do about each thing that is missing."""
    table = Table()
    for column in ("check", "state", "found", "what to do"):
        table.add_column(column, overflow="fold", no_wrap=column in {"check", "state"})
    colours = {State.OK: "green", State.NOTE: "yellow", State.MISSING: "red"}
    for each in results:
        state, finding = each.finding.state, each.finding
        table.add_row(
            each.name, f"[{colours[state]}]{state}[/]", escape(finding.detail),
            escape(finding.remedy),
        )  # fmt: skip
    console = render.out()
    console.print(table)
    lacking = [each.name for each in results if each.finding.state is State.MISSING]
    if lacking:
        console.print(f"[red]missing:[/red] {escape(', '.join(lacking))}")
    else:
        console.print("[green]Nothing that is needed is missing.[/green]")
