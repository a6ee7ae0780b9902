"""`millrace events` and `millrace event`: an entity's events, and one event's biography."""

import sys
from datetime import date
from typing import Annotated

import typer

from millrace.event import UNKNOWN_SOURCE
from millrace.investigate.finding import Wanted
from millrace_cli import render
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.events import Events, parse_query
from millrace_cli.investigate_options import Reading, Verbose
from millrace_cli.investigation import Investigation, answering
from millrace_cli.options import Target
from millrace_cli.reporting import print_json, print_ndjson, reported
from millrace_cli.tables.biography import show_biography, show_record
from millrace_cli.tables.events import show_events, write_events
from millrace_cli.tables.shapes import show_cost


@reported
def events_command(
    *,
    entity: Annotated[str, typer.Option(help="The entity's id, as its events say it.")],
    start: Annotated[str, typer.Option("--from", help="First event time: 2015-09-12T13, UTC.")],
    end: Annotated[
        str | None,
        typer.Option("--to", help="Events before this time; without it, a day from --from on."),
    ] = None,
    source: Annotated[str | None, typer.Option(help="Of this source only.")] = None,
    event_type: Annotated[str | None, typer.Option("--type", help="Of this type only.")] = None,
    include_duplicates: Annotated[
        bool, typer.Option("--include-duplicates", help="List repetitions too, marked.")
    ] = False,
    payload: Annotated[
        bool, typer.Option("--payload", help="Read each event's payload: one read more for each.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON array instead of one JSON a line.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a header.")] = False,
    as_table: Annotated[bool, typer.Option("--table", help="Print a table to look at.")] = False,
    verbose: Verbose = False,
    target: Target,
) -> None:
    """Print the events of one entity in order of event time, one JSON a line.

    However many there are, they come as they are read, a day at a time.
    """
    if as_json + as_csv + as_table > 1:
        raise CommandError("--json, --csv and --table", "choose one of them", ExitCode.USAGE)
    query = parse_query(
        entity, start, end, source=source, event_type=event_type,
        include_duplicates=include_duplicates,
    )  # fmt: skip
    events = Events(target.load())
    rows = events.rows(query, payload=payload)
    if as_json:
        print_json(list(rows))
    elif as_csv:
        write_events(rows, sys.stdout)
    elif as_table:
        show_events(render.out(), rows)
    else:
        print_ndjson(rows)
    if verbose:
        show_cost(render.err(), events.cost)


@reported
def event_command(
    event_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The event's id.", show_default=False)
    ] = None,
    *,
    source: Annotated[str, typer.Option(help="Who sent it.")] = UNKNOWN_SOURCE,
    entity: Annotated[
        str | None, typer.Option(help="Its entity, for an id that the gate has forgotten.")
    ] = None,
    day: Annotated[
        str | None, typer.Option(help="The day of its event time (UTC), with --entity.")
    ] = None,
    shard: Annotated[
        str | None, typer.Option(help="Instead of an id: the shard of a record of the stream.")
    ] = None,
    sequence: Annotated[
        str | None, typer.Option(help="The record's sequence number, with --shard.")
    ] = None,
    all_copies: Annotated[
        bool,
        typer.Option(
            "--all-copies",
            help="Look for copies with another entity or day too: reads all commits since.",
        ),
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Print only the event, byte by byte as it was sent.")
    ] = False,
    reading: Reading,
) -> None:
    """Tell an event's life: how it arrived, where it lies, what counted it, who replayed it.

    Found by its id as long as the gate knows it, then by --entity and --day. With --shard and
    --sequence: what became of a record of the stream, a rejected one too.
    """
    place = _record(event_id, shard, sequence)
    if place is not None:
        asked = Investigation(reading.target.load())
        with answering("read the record"):
            record = asked.records.at(asked.shard(place[0]), place[1])
        reading.tell(record, asked, show_record)
        return
    wanted = _wanted(event_id, source, entity, day)
    asked = Investigation(reading.target.load())
    with answering("read the event"):
        if raw:
            found = asked.finder.find(wanted)
            sys.stdout.buffer.write(found.raw + b"\n")
            sys.stdout.buffer.flush()
            return
        budget = asked.budget(reading.bounds)
        told = asked.biographer.write(wanted, budget, all_copies=all_copies)
    reading.tell(told, asked, show_biography)


def _record(
    event_id: str | None, shard: str | None, sequence: str | None
) -> tuple[str, int] | None:
    """Return shard and number of a record; None if an event is asked for by its id."""
    if shard is None and sequence is None:
        return None
    if event_id is not None or shard is None or sequence is None:
        raise CommandError(
            "a record is named by --shard and --sequence, without an id",
            "give both, or an id alone",
            ExitCode.USAGE,
        )
    if not (sequence.isascii() and sequence.isdecimal() and len(sequence) <= 64):
        raise CommandError(
            f"--sequence {sequence[:80]!r} is no sequence number",
            "give the digits as the quarantine or `millrace status` shows them",
            ExitCode.USAGE,
        )
    return shard, int(sequence)


def _wanted(event_id: str | None, source: str, entity: str | None, day: str | None) -> Wanted:
    if event_id is None:
        raise CommandError(
            "no event is named", "give its id, or --shard and --sequence", ExitCode.USAGE
        )
    if (entity is None) != (day is None):
        raise CommandError(
            "--entity and --day belong together", "give both, or an id alone", ExitCode.USAGE
        )
    return Wanted(event_id, source, entity, _day(day))


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as err:
        raise CommandError(
            f"--day {text!r} is no day", "write it like 2025-12-28", ExitCode.USAGE
        ) from err
