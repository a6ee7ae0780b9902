"""`millrace archive`: archived events by hour."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from millrace_cli import render
from millrace_cli.archive import S3Archive, copy_events, copy_objects, list_objects
from millrace_cli.errors import CommandError
from millrace_cli.options import AsJson, Target
from millrace_cli.reporting import OneLineGroup, print_json, reported

app = typer.Typer(
    cls=OneLineGroup, help="List and read archived events by hour.", no_args_is_help=True
)


@app.command("ls")
@reported
def ls(
    when: Annotated[str, typer.Argument(metavar="HOUR|DATE", help="2015-09-12T13 or 2015-09-12.")],
    *,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """List the archive objects of an hour or a day of event time (UTC)."""
    objects = list_objects(S3Archive(target.load()), when)
    if as_json:
        print_json([each.as_dict() for each in objects])
    else:
        render.show_archive(objects)


@app.command("cat")
@reported
def cat(
    when: Annotated[str, typer.Argument(metavar="HOUR|DATE", help="2015-09-12T13 or 2015-09-12.")],
    *,
    target: Target,
) -> None:
    """Write the archived events of an hour or a day to standard output, one JSON a line."""
    archive = S3Archive(target.load())
    objects = list_objects(archive, when)
    if not objects:
        raise CommandError(f"nothing is archived for {when}", "see `millrace archive ls DATE`")
    copy_events(archive, objects, sys.stdout.buffer)
    sys.stdout.buffer.flush()


@app.command("copy")
@reported
def copy(
    when: Annotated[str, typer.Argument(metavar="HOUR|DATE", help="2015-09-12T13 or 2015-09-12.")],
    *,
    to: Annotated[Path, typer.Option(help="Folder to copy to; keys become paths below it.")],
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Copy the archive objects of an hour or a day, for DuckDB and the like.

    Objects that are there already are not copied again: repeat an interrupted copy.
    """
    archive = S3Archive(target.load())
    done = copy_objects(archive, list_objects(archive, when), to)
    if as_json:
        print_json(asdict(done))
    else:
        typer.echo(
            f"{done.objects:,} objects, {done.bytes:,} bytes below {to}; "
            f"{done.already_there:,} were there"
        )
