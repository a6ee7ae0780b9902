"""`millrace status`: what is wrong now, and what was checked."""

from pathlib import Path
from typing import Annotated

import typer

from millrace.investigate.cockpit.findings import ranked
from millrace_cli import render
from millrace_cli.asked import parse_since
from millrace_cli.cockpit.commands import commands_for
from millrace_cli.cockpit.reading import Cockpit
from millrace_cli.environment import DEFAULT_ENGINE, load_environment
from millrace_cli.errors import ExitCode
from millrace_cli.investigate_options import Deadline, MaxPages, Verbose
from millrace_cli.investigation import Bounds, Investigation, answering, now
from millrace_cli.options import AsJson, Engine, Env, OutputsFile
from millrace_cli.reporting import print_json, reported
from millrace_cli.tables.cockpit import show_inspection
from millrace_cli.tables.shapes import show_cost


@reported
def status_command(
    *,
    since: Annotated[
        str,
        typer.Option(help="Count what arrived since: 24h, 7d, or a time such as 2015-09-12T13."),
    ] = "24h",
    max_pages: MaxPages = 1000,
    deadline: Deadline = 60,
    verbose: Verbose = False,
    as_json: AsJson = False,
    engine: Engine = DEFAULT_ENGINE,
    env: Env = None,
    outputs: OutputsFile = None,
) -> None:
    """Show what is wrong now, the worst first, with what to run; or that all is well.

    Counts are of what arrived in the window; what is unfinished, discarded or dead counts whenever
    it came. Exit code 3 if anything is unaccounted for, or a service does not run.
    """
    at = now()
    begin = parse_since(since, at)
    environment = load_environment(engine, outputs, env)
    asked = Investigation(environment)
    with answering("look at the pipeline"), render.working("Looking at the pipeline"):
        view = Cockpit(environment, asked).look(begin, at, Bounds(max_pages, deadline))
    commands = commands_for(environment, engine, env, _named(outputs))
    inspection = view.inspection
    if as_json:
        told = view.status.as_dict() | inspection.as_json(commands)
        print_json(told | {"read": asked.cost.as_json()})
    else:
        console = render.out()
        show_inspection(console, inspection, commands, at)
        render.show_status(view.status, f"Stages, of what arrived in {since}")
    if verbose:
        show_cost(render.err(), asked.cost)
    if view.status.gaps or any(finding.is_cause for _, finding in ranked(inspection.checks)):
        raise typer.Exit(int(ExitCode.UNACCOUNTED))


def _named(outputs: Path | None) -> str | None:
    return str(outputs) if outputs else None
