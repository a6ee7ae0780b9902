"""`millrace archive`: archived events by hour."""

import sys
from typing import Annotated

import typer

from millrace_cli import render
from millrace_cli.archive import S3Archive, copy_events, list_objects
from millrace_cli.environment import DEFAULT_ENGINE, load_environment
from millrace_cli.errors import CommandError
from millrace_cli.options import AsJson, Engine, Env, OutputsFile
from millrace_cli.reporting import OneLineGroup, print_json, reported

app = typer.Typer(
    cls=OneLineGroup, help="List and read archived events by hour.", no_args_is_help=True
)


@app.command("ls")
@reported
def ls(
    when: Annotated[str, typer.Argument(metavar="HOUR|DATE", help="2015-09-12T13 or 2015-09-12.")],
    as_json: AsJson = False,
    engine: Engine = DEFAULT_ENGINE,
    env: Env = None,
    outputs: OutputsFile = None,
) -> None:
    """List the archive objects of an hour or a day of event time (UTC)."""
    objects = list_objects(S3Archive(load_environment(engine, outputs, env)), when)
    if as_json:
        print_json([each.as_dict() for each in objects])
    else:
        render.show_archive(objects)


@app.command("cat")
@reported
def cat(
    when: Annotated[str, typer.Argument(metavar="HOUR|DATE", help="2015-09-12T13 or 2015-09-12.")],
    engine: Engine = DEFAULT_ENGINE,
    env: Env = None,
    outputs: OutputsFile = None,
) -> None:
    """Write the archived events of an hour or a day to standard output, one JSON a line."""
    archive = S3Archive(load_environment(engine, outputs, env))
    objects = list_objects(archive, when)
    if not objects:
        raise CommandError(f"nothing is archived for {when}", "see `millrace archive ls DATE`")
    copy_events(archive, objects, sys.stdout.buffer)
    sys.stdout.buffer.flush()
