"""`millrace generate`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from millrace_cli import render
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.generate.files import check_free, companions, write_sample
from millrace_cli.generate.plan import (
    DEFAULT_DAYS,
    DEFAULT_EVENTS,
    DEFAULT_SEED,
    DEFAULT_START,
    Plan,
    parse_missing_day,
    parse_silence,
    parse_start,
)
from millrace_cli.generate.sample import Sample, make_sample
from millrace_cli.options import AsJson
from millrace_cli.reporting import print_json, reported
from millrace_cli.rows import STDIN

STDOUT = STDIN


@reported
def generate_command(
    *,
    events: Annotated[
        int, typer.Option(help="How many different events before faults.")
    ] = DEFAULT_EVENTS,
    seed: Annotated[int, typer.Option(help="Another seed, another sample.")] = DEFAULT_SEED,
    days: Annotated[int, typer.Option(help="How many days of event time (UTC).")] = DEFAULT_DAYS,
    start: Annotated[str, typer.Option(help="The first day.")] = DEFAULT_START.isoformat(),
    out: Annotated[
        str,
        typer.Option(help="File for the events, gzip if it ends in .gz; - is standard output."),
    ] = STDOUT,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    duplicates: Annotated[
        int | None, typer.Option(help="Records sent twice.", show_default="2 % of --events")
    ] = None,
    late: Annotated[
        int | None, typer.Option(help="Events late by hours.", show_default="1 % of --events")
    ] = None,
    malformed: Annotated[
        int | None,
        typer.Option(help="Records that are no events.", show_default="1 % of --events"),
    ] = None,
    silent_source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE:HOURS[:START]",
            help="web, mobile or billing sends nothing for hours: web:3, web:3:2025-12-30T10.",
        ),
    ] = None,
    missing_day: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ENTITY[:DAY]",
            help="An entity has no event on a day: user_1, user_1:2025-12-30.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make up a shop's events: users, sessions, experiments, invoices, and what goes wrong.

    The same options give the same bytes, on any machine. Beside the events in --out NAME.ndjson lie
    NAME.assignments.ndjson and NAME.experiments.ndjson, and NAME.truth.json, which says what the
    pipeline is to find and exactly what was injected. Some records are no events on purpose: send
    the file with `millrace put --format lines`.
    """
    plan = Plan(
        seed=seed,
        events=events,
        days=days,
        start=parse_start(start),
        duplicates=duplicates,
        late=late,
        malformed=malformed,
        silences=tuple(map(parse_silence, silent_source or ())),
        missing_days=tuple(map(parse_missing_day, missing_day or ())),
    )
    if out == STDOUT:
        if as_json:
            raise CommandError("--json without --out", "say where the events go", ExitCode.USAGE)
        with render.working("Generating"):
            sample = make_sample(plan)
        _print_lines(sample)
        return
    file = Path(out)
    check_free(file, replace=force)
    with render.working(f"Generating {file}"):
        sample = make_sample(plan)
        write_sample(sample, file)
    if as_json:
        print_json(sample.truth.as_dict())
        return
    for each in (file, *companions(file)):
        render.out().print(f"wrote {each}", markup=False)
    render.out().print(sample.truth.summary(), markup=False)


def _print_lines(sample: Sample) -> None:
    for line in sample.lines:
        sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()
