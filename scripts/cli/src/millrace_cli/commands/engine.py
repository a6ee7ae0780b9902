"""`millrace run` and `millrace stop`: the local engine's life."""

import time
from pathlib import Path
from typing import Annotated

import typer

from millrace_cli import render
from millrace_cli.aggregates import AggregateTable
from millrace_cli.engine import Deployment, deploy, stop
from millrace_cli.environment import DEFAULT_ENGINE, Environment, load_environment
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.generate.sample import make_sample
from millrace_cli.generate.tables import store_experiments
from millrace_cli.kinesis import KinesisStream
from millrace_cli.options import AsJson, Engine
from millrace_cli.pipeline import PipelineReader
from millrace_cli.put import Source, check
from millrace_cli.reasons import QuarantineReader
from millrace_cli.reporting import print_json, reported
from millrace_cli.row_options import Rows
from millrace_cli.run import (
    SAMPLE,
    RunSteps,
    Sent,
    latest_hours,
    run_events,
    send_file,
    send_sample,
    write_report,
)
from millrace_cli.sending import Progress
from millrace_cli.tables.run import show_run
from millrace_local.ports import DEFAULT_PORT
from millrace_local.project import default_root


@reported
def run_command(
    *,
    events: Annotated[
        str | None,
        typer.Option(help="File to send, as for put; without it a made-up sample (see generate)."),
    ] = None,
    rows: Rows,
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
    if (rows.maps or rows.time_format or rows.zone) and not events:
        option = "--map" if rows.maps else "--time-format or --tz"
        raise CommandError(f"{option} without --events", "say which file to read", ExitCode.USAGE)
    source = rows.source(events) if events else None
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
        show_run(report)
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
        if source:
            with render.put_progress(total, progress):
                return send_file(source, stream, progress)
        sample = make_sample(SAMPLE)
        store_experiments(sample, environment)
        with render.put_progress(sample.truth.records, progress):
            return send_sample(sample, stream, progress)

    return RunSteps(
        read_status=PipelineReader(environment).status,
        send=send_all,
        aggregates_of=lambda event_types: latest_hours(table, event_types),
        quarantined_between=QuarantineReader(environment).reasons_between,
        archive_location=f"s3://{environment.outputs.data_bucket}/archive/",
        clock=time.monotonic,
    )


@reported
def stop_command(*, as_json: AsJson = False, engine: Engine = DEFAULT_ENGINE) -> None:
    """End the local engine and empty it: its data and Terraform's state are gone."""
    stopped = stop(engine)
    if as_json:
        print_json({"engine": engine, "stopped": stopped})
    else:
        typer.echo(f"engine {engine} {'is ended and emptied' if stopped else 'was not there'}")
