"""The commands of quarantine: look, try a rule, recover, drop."""

import sys
from typing import Annotated

import typer

from millrace.clock import SystemClock
from millrace.quarantine.record import Place
from millrace.quarantine.stats import Dimension, Statistics
from millrace_cli import quarantine_tables, render
from millrace_cli.commands.quarantine_drop import drop_command
from millrace_cli.commands.quarantine_patch import patch_command
from millrace_cli.commands.quarantine_recover import recover_command
from millrace_cli.options import AsJson, Target
from millrace_cli.quarantine import (
    Quarantines,
    quarantined,
    record_fields,
    statistics_fields,
    whole_fields,
)
from millrace_cli.quarantine_options import Filters, States
from millrace_cli.reporting import OneLineGroup, print_json, print_ndjson, reported

app = typer.Typer(
    cls=OneLineGroup,
    help="Records that can never be events: look at them, repair them by a rule, drop them.",
    no_args_is_help=True,
)

_LISTED = 100


@app.command("list")
@reported
def list_command(
    *,
    filters: Filters,
    state: States = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many records.")] = _LISTED,
    after: Annotated[
        str | None, typer.Option(metavar="RECORD", help="Those behind this one: the next page.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON a line.")] = False,
    target: Target,
) -> None:
    """List quarantined records, by shard and sequence number."""
    with quarantined("list the quarantine"):
        selection = filters.selection(SystemClock().now(), state=state, after=after, limit=limit)
        quarantines = Quarantines.of(target.load())
        found = list(quarantines.quarantine.records(selection))
    if as_json:
        print_ndjson(map(record_fields, found))
    else:
        quarantine_tables.show_records(found)
    if len(found) == limit:
        more = f"there may be more: --after {found[-1].record.place}"
        render.err().print(more, markup=False)


@app.command("show")
@reported
def show_command(
    record: Annotated[str, typer.Argument(metavar="SHARD/SEQ[/POSITION]", help="Which one.")],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Print only its bytes.")] = False,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Show one record: bytes, the validator's message, arrival, commit, what was done about it."""
    with quarantined("show the record"):
        place = Place.parse(record)
        quarantines = Quarantines.of(target.load())
        held = quarantines.quarantine.at(place)
        rule_hash = held.mark.rule_hash if held.mark else ""  # a drop has none
        rule = quarantines.rules.find(rule_hash) if rule_hash else None
    if raw:
        sys.stdout.buffer.write(held.record.data)
        sys.stdout.buffer.flush()
    elif as_json:
        print_json(whole_fields(held, rule))
    else:
        quarantine_tables.show_record(held, rule)


@app.command("stats")
@reported
def stats_command(
    *,
    by: Annotated[
        list[Dimension] | None, typer.Option(help="Count by this; reason, source and event_type.")
    ] = None,
    filters: Filters,
    state: States = None,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Count quarantined records, and what share of all records they are."""
    with quarantined("count the quarantine"):
        selection = filters.selection(SystemClock().now(), state=state)
        default = (Dimension.REASON, Dimension.SOURCE, Dimension.EVENT_TYPE)
        found = Statistics(tuple(by or default))
        quarantine = Quarantines.of(target.load()).quarantine
        with render.counting_bar("Counting", None, quiet=as_json) as show:
            heads = found.passing(quarantine.heads(selection))
            for commit in quarantine.commits_of(heads, selection):
                found.count(commit.held)
                show(found.records)
    if as_json:
        print_json(statistics_fields(found))
    else:
        quarantine_tables.show_statistics(found)


app.command("patch")(patch_command)
app.command("recover")(recover_command)
app.command("drop")(drop_command)
