"""`millrace put`."""

from typing import Annotated

import typer

from millrace.clock import SystemClock
from millrace_cli import render
from millrace_cli.api import api_stream
from millrace_cli.environment import Environment
from millrace_cli.kinesis import KinesisStream
from millrace_cli.options import AsJson, Door, Target, Via
from millrace_cli.preview import preview
from millrace_cli.put import Source, check, put
from millrace_cli.reporting import print_json, reported
from millrace_cli.row_options import Rows
from millrace_cli.sending import EventStream, Progress


@reported
def put_command(
    file: Annotated[
        str, typer.Argument(help="NDJSON, JSON array or CSV, plain or gzip; - reads stdin.")
    ],
    *,
    rows: Rows,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Send nothing: show what would be sent, and rejected."),
    ] = False,
    rate: Annotated[float | None, typer.Option(min=0.1, help="Events per second at most.")] = None,
    skip: Annotated[
        int, typer.Option(min=0, help="Leave out the first N rows: resume an interrupted put.")
    ] = 0,
    via: Via = Door.STREAM,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Send the events in FILE to the stream, or to the HTTP API in front of it.

    A file is checked whole before its first event is sent; standard input is sent as it comes.
    Without --map each row is an event and is sent as it is. Nothing is added to an event, so the
    same file put twice is all duplicates. --dry-run judges by the limits that deployments have
    unless they set others; events sent earlier are not known to it.
    """
    source = rows.source(file, skip)
    if dry_run:
        _show_preview(source, as_json=as_json)
        return
    total = check(source)
    environment = target.load()
    stream = _door(via, environment)
    progress = Progress()
    with render.put_progress(total, progress, quiet=as_json):
        summary = put(source, stream, progress, rate)
    if as_json:
        print_json(summary.as_dict())
    else:
        render.show_put(summary)


def _show_preview(source: Source, *, as_json: bool) -> None:
    found = preview(source, SystemClock().now())
    if as_json:
        print_json(found.as_dict())
    else:
        render.show_preview(found)


def _door(via: Door, environment: Environment) -> EventStream:
    if via is Door.API:
        return api_stream(environment)
    return KinesisStream(environment.clients.kinesis(), environment.outputs.stream_arn)
