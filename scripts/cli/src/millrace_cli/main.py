"""The `millrace` command: which sub-commands there are."""

from importlib.metadata import version
from typing import Annotated

import typer

from millrace_cli.commands import archive, dlq, enrichment, failures, quarantine, replay
from millrace_cli.commands.audit import audit_command
from millrace_cli.commands.doctor import doctor_command
from millrace_cli.commands.engine import run_command, stop_command
from millrace_cli.commands.env import env_command
from millrace_cli.commands.events import event_command, events_command
from millrace_cli.commands.export import export_command
from millrace_cli.commands.generate import generate_command
from millrace_cli.commands.investigate import (
    duplicates_command,
    gaps_command,
    lag_command,
    late_command,
    sources_command,
)
from millrace_cli.commands.put import put_command
from millrace_cli.commands.reading import aggregates_command
from millrace_cli.commands.status import status_command
from millrace_cli.reporting import OneLineGroup

app = typer.Typer(
    name="millrace",
    cls=OneLineGroup,
    help="Put events in, see what became of them, read what came out.\n\n"
    "Exit codes: 0 done, 1 failed, 2 wrong use, 3 something is unaccounted for, 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"millrace {version('millrace-cli')}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool | None,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = None,
) -> None:
    """Put events in, see what became of them, read what came out."""


app.command("put")(put_command)
app.command("generate")(generate_command)
app.command("run")(run_command)
app.command("stop")(stop_command)
app.command("env")(env_command)
app.command("doctor")(doctor_command)
app.command("status")(status_command)
app.command("aggregates")(aggregates_command)
app.command("events")(events_command)
app.command("event")(event_command)
app.command("gaps")(gaps_command)
app.command("lag")(lag_command)
app.command("duplicates")(duplicates_command)
app.command("late")(late_command)
app.command("sources")(sources_command)
app.command("export")(export_command)
app.command("audit")(audit_command)
app.add_typer(archive.app, name="archive")
app.add_typer(failures.app, name="failures")
app.add_typer(replay.app, name="replay")
app.add_typer(dlq.app, name="dlq")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(enrichment.assignments_app, name="assignments")
app.add_typer(enrichment.experiments_app, name="experiments")
