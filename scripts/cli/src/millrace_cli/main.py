"""The `millrace` command: parses options, calls the module that does the work, shows the result."""

import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from millrace.aggregates import LIVE, Version
from millrace.event import UNKNOWN_SOURCE
from millrace.windows import WindowWidth
from millrace_cli import render
from millrace_cli.aggregates import (
    AggregateQuery,
    AggregateTable,
    parse_instant,
    parse_scope,
    row_json,
)
from millrace_cli.api import api_stream
from millrace_cli.archive import S3Archive, copy_events, list_objects
from millrace_cli.engine import Deployment, deploy, stop
from millrace_cli.environment import DEFAULT_ENGINE, Environment, load_environment
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.events import Events, parse_query, stored_fields
from millrace_cli.kinesis import KinesisStream
from millrace_cli.mapping import parse_mapping
from millrace_cli.options import AsJson, Door, Engine, Env, Format, Maps, OutputsFile, Via
from millrace_cli.pipeline import PipelineReader
from millrace_cli.put import Source, check, put
from millrace_cli.reporting import OneLineGroup, print_json, print_ndjson, reported
from millrace_cli.rows import RowFormat
from millrace_cli.run import (
    RunSteps,
    Sent,
    latest_hours,
    run_events,
    send_file,
    send_sample,
    write_report,
)
from millrace_cli.sending import EventStream, Progress
from millrace_local.ports import DEFAULT_PORT
from millrace_local.project import default_root

app = typer.Typer(
    name="millrace",
    cls=OneLineGroup,
    help="Put events in, see what became of them, read what came out.\n\n"
    "Exit codes: 0 done, 1 failed, 2 wrong use, 3 something is unaccounted for, 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
archive_app = typer.Typer(
    cls=OneLineGroup, help="List and read archived events by hour.", no_args_is_help=True
)
app.add_typer(archive_app, name="archive")


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


@app.command("put")
@reported
def put_command(
    file: Annotated[
        str, typer.Argument(help="NDJSON, JSON array or CSV, plain or gzip; - reads stdin.")
    ],
    *,
    maps: Maps = None,
    row_format: Format = RowFormat.AUTO,
    rate: Annotated[float | None, typer.Option(min=0.1, help="Events per second at most.")] = None,
    skip: Annotated[
        int, typer.Option(min=0, help="Leave out the first N rows: resume an interrupted put.")
    ] = 0,
    via: Via = Door.STREAM,
    as_json: AsJson = False,
    engine: Engine = DEFAULT_ENGINE,
    env: Env = None,
    outputs: OutputsFile = None,
) -> None:
    """Send the events in FILE to the stream, or to the HTTP API in front of it.

    A file is checked whole before its first event is sent; standard input is sent as it comes.
    Without --map each row is an event and is sent as it is. Nothing is added to an event, so the
    same file put twice is all duplicates.
    """
    source = Source(file, parse_mapping(maps or ()), row_format, skip)
    total = check(source)
    environment = load_environment(engine, outputs, env)
    stream = _door(via, environment)
    progress = Progress()
    with render.put_progress(total, progress, quiet=as_json):
        summary = put(source, stream, progress, rate)
    if as_json:
        print_json(summary.as_dict())
    else:
        render.show_put(summary)


def _door(via: Door, environment: Environment) -> EventStream:
    if via is Door.API:
        return api_stream(environment)
    return KinesisStream(environment.clients.kinesis(), environment.outputs.stream_arn)


@app.command("run")
@reported
def run_command(
    *,
    events: Annotated[
        str | None,
        typer.Option(help="File to send, as for put; without it a small made-up sample."),
    ] = None,
    maps: Maps = None,
    row_format: Format = RowFormat.AUTO,
    metrics: Annotated[
        Path | None, typer.Option(help="Metric definitions (TOML) to deploy.")
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The engine's port; 0 takes any free one.")
    ] = DEFAULT_PORT,
    stall_s: Annotated[
        float,
        typer.Option("--stall", min=1, help="Give up when nothing moved for so many seconds."),
    ] = 120.0,
    as_json: AsJson = False,
    engine: Engine = DEFAULT_ENGINE,
) -> None:
    """Deploy to the local engine, send events, wait until they settled, account for them.

    Leaves the engine running; the report is in .millrace/run.json too. Exit code 3 if anything is
    unaccounted for.
    """
    source = Source(events, parse_mapping(maps or ()), row_format) if events else None
    if maps and not source:
        raise CommandError("--map without --events", "say which file to map", ExitCode.USAGE)
    total = check(source) if source else None
    deployment = Deployment(engine, port, metrics)
    with render.TerminalReporter() as reporter:
        deploy(deployment, reporter.step, reporter.deploying)
        environment = load_environment(engine)
        report = run_events(_run_steps(environment, source, total, reporter), reporter, stall_s)
    write_report(default_root() / "run.json", report)
    if as_json:
        print_json(report.as_dict())
    else:
        render.show_run(report)
    if report.gaps:
        raise typer.Exit(int(ExitCode.UNACCOUNTED))


def _run_steps(
    environment: Environment,
    source: Source | None,
    total: int | None,
    reporter: render.TerminalReporter,
) -> RunSteps:
    stream = KinesisStream(environment.clients.kinesis(), environment.outputs.stream_arn)
    table = AggregateTable(environment)

    def send_all() -> Sent:
        reporter.step(f"Sending {source.path if source else 'the made-up sample'}")
        reporter.pause()
        progress = Progress()
        with render.put_progress(total, progress):
            return send_file(source, stream, progress) if source else send_sample(stream, progress)

    return RunSteps(
        read_status=PipelineReader(environment).status,
        send=send_all,
        aggregates_of=lambda event_types: latest_hours(table, event_types),
        archive_location=f"s3://{environment.outputs.data_bucket}/archive/",
        clock=time.monotonic,
    )


@app.command("stop")
@reported
def stop_command(*, as_json: AsJson = False, engine: Engine = DEFAULT_ENGINE) -> None:
    """End the local engine and empty it: its data and Terraform's state are gone."""
    stopped = stop(engine)
    if as_json:
        print_json({"engine": engine, "stopped": stopped})
    else:
        typer.echo(f"engine {engine} {'is ended and emptied' if stopped else 'was not there'}")


@app.command("status")
@reported
def status_command(
    as_json: AsJson = False,
    engine: Engine = DEFAULT_ENGINE,
    env: Env = None,
    outputs: OutputsFile = None,
) -> None:
    """Show the counts of each stage, the queues, and what is unaccounted for (then exit code 3)."""
    status = PipelineReader(load_environment(engine, outputs, env)).status()
    if as_json:
        print_json(status.as_dict())
    else:
        render.show_status(status)
    if status.gaps:
        raise typer.Exit(int(ExitCode.UNACCOUNTED))


@app.command("aggregates")
@reported
def aggregates_command(
    *,
    scope: Annotated[
        str, typer.Option(help="KIND#id: TYPE#edit, SOURCE#web, ENTITY#user_1, CLIENT#acme, ...")
    ],
    metric: Annotated[str | None, typer.Option(help="This metric only.")] = None,
    window: Annotated[WindowWidth, typer.Option(help="Width of the windows.")] = WindowWidth.HOUR,
    start: Annotated[
        str | None, typer.Option("--from", help="First window: 2015-09-12 or 2015-09-12T13.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Windows that start before this time.")
    ] = None,
    aggregate_version: Annotated[
        str, typer.Option("--version", help="live, or the version of a replay.")
    ] = LIVE,
    as_json: AsJson = False,
    engine: Engine = DEFAULT_ENGINE,
    env: Env = None,
    outputs: OutputsFile = None,
) -> None:
    """Show the aggregates of one scope, window by window.

    The values in --json are exact numbers: read them as decimals where a float is too short.
    """
    query = AggregateQuery(
        scope=parse_scope(scope),
        window=window,
        metric=metric,
        start=parse_instant(start, "--from") if start else None,
        end=parse_instant(end, "--to") if end else None,
        version=Version(aggregate_version),
    )
    rows = list(AggregateTable(load_environment(engine, outputs, env)).rows(query))
    if as_json:
        print_json([row_json(row) for row in rows])
    else:
        render.show_aggregates(rows)


@app.command("events")
@reported
def events_command(
    *,
    entity: Annotated[str, typer.Option(help="The entity's id, as its events say it.")],
    start: Annotated[str, typer.Option("--from", help="First event time: 2015-09-12T13, UTC.")],
    end: Annotated[
        str | None,
        typer.Option("--to", help="Events before this time; without it, a day from --from on."),
    ] = None,
    include_duplicates: Annotated[
        bool, typer.Option("--include-duplicates", help="List repetitions too, marked.")
    ] = False,
    payload: Annotated[
        bool, typer.Option("--payload", help="Read each event's payload: one read more for each.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON array instead of one JSON a line.")
    ] = False,
    engine: Engine = DEFAULT_ENGINE,
    env: Env = None,
    outputs: OutputsFile = None,
) -> None:
    """Print the events of one entity in order of event time, one JSON a line."""
    query = parse_query(entity, start, end, include_duplicates=include_duplicates)
    rows = Events(load_environment(engine, outputs, env)).rows(query, payload=payload)
    if as_json:
        print_json(list(rows))
    else:
        print_ndjson(rows)


@app.command("event")
@reported
def event_command(
    event_id: Annotated[str, typer.Argument(metavar="ID", help="The event's id.")],
    *,
    source: Annotated[str, typer.Option(help="Who sent it.")] = UNKNOWN_SOURCE,
    payload: Annotated[bool, typer.Option("--payload", help="Print its payload too.")] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Print only the event, byte by byte as it was sent.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print indented JSON.")] = False,
    engine: Engine = DEFAULT_ENGINE,
    env: Env = None,
    outputs: OutputsFile = None,
) -> None:
    """Print one event and where it lies, found by its id as long as the gate knows it."""
    found = Events(load_environment(engine, outputs, env)).by_id(source, event_id)
    if raw:
        sys.stdout.buffer.write(found.raw + b"\n")
        sys.stdout.buffer.flush()
    elif as_json:
        print_json(stored_fields(found, payload=payload))
    else:
        print_ndjson([stored_fields(found, payload=payload)])


@archive_app.command("ls")
@reported
def archive_ls(
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


@archive_app.command("cat")
@reported
def archive_cat(
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
