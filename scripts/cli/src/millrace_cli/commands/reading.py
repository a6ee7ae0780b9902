"""`millrace aggregates`: what was counted."""

import sys
from typing import Annotated

import typer

from millrace.aggregates import LIVE
from millrace.aws.aggregate_fields import row_json
from millrace.aws.aggregates import scope_key
from millrace.windows import WindowWidth
from millrace_cli.aggregates import (
    AggregateQuery,
    AggregateTable,
    parse_instant,
    parse_scope,
    parse_version,
    write_csv,
)
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.options import AsJson, Target
from millrace_cli.reporting import print_json, reported
from millrace_cli.tables.aggregates import show_aggregates, show_scopes


@reported
def aggregates_command(
    *,
    scope: Annotated[
        str | None,
        typer.Option(
            help="KIND#id: TYPE#edit, SOURCE#web, ENTITY#user_1, CLIENT#acme, "
            "EXPERIMENT#e1#VARIANT#A, PAYLOAD#page.country#VALUE#de; "
            "without it, list the scopes that there are (reads the whole table)."
        ),
    ] = None,
    metric: Annotated[str | None, typer.Option(help="This metric only.")] = None,
    window: Annotated[WindowWidth, typer.Option(help="Width of the windows.")] = WindowWidth.HOUR,
    start: Annotated[
        str | None, typer.Option("--from", help="First window: 2015-09-12 or 2015-09-12T13.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Windows that start before this time.")
    ] = None,
    aggregate_version: Annotated[
        str, typer.Option("--version", help="live, the version of a replay, or all.")
    ] = LIVE,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a header.")] = False,
    target: Target,
) -> None:
    """Show the aggregates of one scope, window by window.

    The values in --json and --csv are exact: read them as decimals where a float is too short.
    """
    if as_json and as_csv:
        raise CommandError("--json and --csv", "choose one of them", ExitCode.USAGE)
    if scope is None:
        if metric or start or end or as_csv:
            raise CommandError("no --scope", "say whose rows to show", ExitCode.USAGE)
        _show_scopes(AggregateTable(target.load()), as_json=as_json)
        return
    query = AggregateQuery(
        scope=parse_scope(scope),
        window=window,
        metric=metric,
        start=parse_instant(start, "--from") if start else None,
        end=parse_instant(end, "--to") if end else None,
        version=parse_version(aggregate_version),
    )
    rows = list(AggregateTable(target.load()).rows(query))
    if as_json:
        print_json([row_json(row) for row in rows])
    elif as_csv:
        write_csv(rows, sys.stdout)
    else:
        show_aggregates(rows)


def _show_scopes(table: AggregateTable, *, as_json: bool) -> None:
    scopes = [scope_key(scope) for scope in table.scopes()]
    if as_json:
        print_json(scopes)
    else:
        show_scopes(scopes)
