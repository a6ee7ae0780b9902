"""`millrace quarantine drop`: what nobody wants back is marked so."""

from typing import Annotated

import typer

from millrace.audit import Operation, audited
from millrace.clock import SystemClock
from millrace.quarantine.dropping import Dropped
from millrace.quarantine.marks import State
from millrace.quarantine.recovering import Actor
from millrace.quarantine.selection import Selection
from millrace_cli import quarantine_tables, render
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.operators import audit_log, operator
from millrace_cli.options import AsJson, Target
from millrace_cli.quarantine import Quarantines, quarantined
from millrace_cli.quarantine_options import Filters, Limit, Records, described
from millrace_cli.reporting import print_json, reported


@reported
def drop_command(
    *,
    reason: Annotated[str, typer.Option(help="Why; kept in the mark and the audit.")],
    filters: Filters,
    record: Records = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Everything that arrived in the time.")
    ] = False,
    limit: Limit = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Mark nothing: say how many.")] = False,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Mark records that nobody wants back as dropped. Their bytes stay where they are."""
    with quarantined("drop"):
        if not reason.strip():
            raise CommandError("--reason says nothing", "say why in a few words", ExitCode.USAGE)
        if not (filters.chosen or record or everything):
            raise CommandError(
                "nothing says which records to drop",
                "choose some (--rejected, --source, --type, --record), or say --all",
                ExitCode.USAGE,
            )
        selection = filters.selection(
            SystemClock().now(), record=record, state=[State.OPEN], limit=limit
        )
        quarantines = Quarantines.of(target.load())
        actor = Actor(operator(), reason.strip())
        dropped = _drop(quarantines, selection, actor, dry_run=dry_run, quiet=as_json)
    if as_json:
        fields = {"dropped": dropped.records, "rejected": dict(dropped.reasons)}
        print_json(fields | {"dry_run": dry_run})
    else:
        quarantine_tables.show_dropped(dropped, dry_run=dry_run)


def _drop(
    quarantines: Quarantines,
    selection: Selection,
    actor: Actor,
    *,
    dry_run: bool,
    quiet: bool,
) -> Dropped:
    dropped = Dropped()
    if dry_run:
        for held in quarantines.quarantine.records(selection):
            dropped.records += 1
            dropped.reasons[held.record.reason] += 1
        return dropped
    operation = Operation("quarantine.drop", described(selection), actor.who, actor.reason)
    log = audit_log(quarantines.environment)
    with audited(log, SystemClock(), operation) as tally:
        try:
            with render.counting_bar("Dropping", None, quiet=quiet) as show:
                commits = quarantines.quarantine.commits(selection)
                quarantines.dropping().drop(commits, actor, dropped, lambda now: show(now.records))
        finally:
            tally.add("dropped", dropped.records)
    return dropped
