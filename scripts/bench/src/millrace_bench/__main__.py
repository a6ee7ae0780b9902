"""`python -m millrace_bench [CASE...]`: run the cases, print the figures, keep them as JSON."""

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from millrace_bench.figure import Figure, ratio
from millrace_bench.registry import Case, UnknownCase, all_cases, chosen

_console = Console()


def main(
    names: Annotated[list[str] | None, typer.Argument(metavar="[CASE]...")] = None,
    out: Annotated[Path, typer.Option(help="Where the figures go, as JSON.")] = Path(
        ".millrace/bench.json"
    ),
    *,
    list_only: Annotated[bool, typer.Option("--list", help="Only list the cases.")] = False,
) -> None:
    """Measure; figures of one run may be compared with each other, not with another machine's."""
    if list_only:
        for case in all_cases().values():
            _console.print(f"{case.name:24} {case.what}")
        return
    try:
        cases = chosen(names or [])
    except UnknownCase as err:
        raise typer.BadParameter(str(err)) from err
    measured = {case.name: _measure(case) for case in cases}
    out.parent.mkdir(parents=True, exist_ok=True)
    fields = {name: [each.to_fields() for each in figures] for name, figures in measured.items()}
    out.write_bytes(orjson.dumps(fields, option=orjson.OPT_INDENT_2))
    _console.print(f"written to {out}")


def _measure(case: Case) -> list[Figure]:
    _console.print(f"[bold]{case.name}[/bold]: {case.what}")
    figures = case.run()
    table = Table(box=None, pad_edge=False)
    for column in ("figure", "value", "unit", "ratio", "target"):
        table.add_column(column, justify="right" if column in {"value", "ratio"} else "left")
    for figure in figures:
        times = ratio(figure, figures)
        shown = "" if times is None else f"{times:.2f} x {figure.against}"
        table.add_row(
            figure.name,
            f"{figure.value:,.4g}" if figure.value < 100 else f"{figure.value:,.0f}",
            figure.unit,
            shown,
            figure.target,
        )
    _console.print(table)
    return figures


if __name__ == "__main__":
    typer.run(main)
