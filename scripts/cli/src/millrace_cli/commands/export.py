"""`millrace export`."""

from typing import Annotated

import typer

from millrace_cli import render
from millrace_cli.aggregates import parse_instant
from millrace_cli.errors import ExitCode
from millrace_cli.export import LambdaExport, export_hours, hours_asked
from millrace_cli.options import AsJson, Target
from millrace_cli.reporting import print_json, reported


@reported
def export_command(
    when: Annotated[
        str | None, typer.Argument(metavar="[HOUR|DATE]", help="2015-09-12T13 or 2015-09-12.")
    ] = None,
    *,
    start: Annotated[str | None, typer.Option("--from", help="First hour: 2015-09-12T13.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Hours that start before this.")] = None,
    client: Annotated[str | None, typer.Option(help="This client's files only.")] = None,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Bring the clients' files of some hours up to what the archive holds.

    Files that are right are left alone: repeating a command, or one that was interrupted, costs
    little and changes nothing. The schedule does the same at five past each hour for hours that
    changed.
    """
    hours = hours_asked(
        when,
        parse_instant(start, "--from") if start else None,
        parse_instant(end, "--to") if end else None,
    )
    function = LambdaExport(target.load())
    with render.export_progress(len(hours), quiet=as_json) as listener:
        report = export_hours(function, hours, client, [listener])
    if as_json:
        print_json(report.as_dict())
    else:
        render.show_export(report)
    if report.failed:
        raise typer.Exit(int(ExitCode.ERROR))
