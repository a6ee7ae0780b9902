"""The simulation's command: python -m millrace_mapping [--seed N | --seeds A:B]."""

import sys
import time
from typing import Annotated

import typer

from millrace_mapping.simulation.many import failure_of, run_many, run_seeds
from millrace_mapping.simulation.schedule import build

_FEW = 100  # below which another process costs more than it brings
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def simulate(
    seed: Annotated[int | None, typer.Option(help="Print this seed's whole timeline.")] = None,
    seeds: Annotated[str, typer.Option(help="Run these seeds: FIRST:END.")] = "0:1000",
) -> None:
    """Run random schedules of the event source mapping, or show one of them."""
    if seed is not None:
        sys.exit(show(seed))
    first, _, end = seeds.partition(":")
    if not (first.isdecimal() and end.isdecimal()):
        raise typer.BadParameter("--seeds: write FIRST:END, for example 0:1000")
    sys.exit(run_all(range(int(first), int(end))))


def show(seed: int) -> int:
    """Print the timeline of a seed; return 1 if it broke a promise."""
    run = build(seed)
    failure = failure_of(run)
    typer.echo(f"seed {seed}: {run.description}")
    for line in run.audit.timeline.lines():
        typer.echo(line)
    typer.echo(failure.partition("\n")[0] or f"seed {seed} keeps all promises")
    return 1 if failure else 0


def run_all(seeds: range) -> int:
    """Run the seeds; print what happened in the first that breaks a promise."""
    started = time.monotonic()
    tally = run_many(seeds) if len(seeds) > _FEW else run_seeds(seeds)
    if tally.failures:
        typer.echo(tally.failures[0])
    typer.echo(f"{tally}, in {time.monotonic() - started:.1f} s")
    return 1 if tally.failures else 0


def main() -> None:
    """Run the command."""
    app()


if __name__ == "__main__":
    main()
