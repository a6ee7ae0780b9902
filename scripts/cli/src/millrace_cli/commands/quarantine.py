"""The commands of quarantine: look, try a rule, recover, drop."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from millrace.audit import Operation, Tally, audited
from millrace.clock import SystemClock
from millrace.quarantine.dropping import Dropped
from millrace.quarantine.following import Fate
from millrace.quarantine.marks import State
from millrace.quarantine.patching import preview
from millrace.quarantine.record import Place
from millrace.quarantine.recovering import Actor, Progress, recoverable
from millrace.quarantine.rule import Rule
from millrace.quarantine.rule_text import RuleOptions
from millrace.quarantine.selection import Selection
from millrace.quarantine.stats import Dimension, Statistics
from millrace_cli import quarantine_options as chosen
from millrace_cli import quarantine_tables, render
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.operators import Reason, audit_log, operator, stated_reason
from millrace_cli.options import AsJson, Target
from millrace_cli.quarantine import (
    Quarantines,
    preview_fields,
    quarantined,
    record_fields,
    statistics_fields,
    whole_fields,
)
from millrace_cli.quarantine_door import StreamDoor
from millrace_cli.quarantine_options import Filters, described
from millrace_cli.reporting import OneLineGroup, print_json, print_ndjson, reported

app = typer.Typer(
    cls=OneLineGroup,
    help="Records that can never be events: look at them, repair them by a rule, drop them.",
    no_args_is_help=True,
)

_LISTED = 100
Examples = Annotated[
    int, typer.Option(min=0, help="Examples to show of each reason and each outcome.")
]


@app.command("list")
@reported
def list_command(
    *,
    start: chosen.Start = None,
    end: chosen.End = None,
    rejected: chosen.Rejected = None,
    source: chosen.Source = None,
    event_type: chosen.EventType = None,
    schema_version: chosen.SchemaVersion = None,
    state: chosen.States = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many records.")] = _LISTED,
    after: Annotated[
        str | None, typer.Option(metavar="RECORD", help="Those behind this one: the next page.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON a line.")] = False,
    target: Target,
) -> None:
    """List quarantined records, by shard and sequence number."""
    with quarantined("list the quarantine"):
        filters = Filters(start, end, rejected, source, event_type, schema_version,
                          state=state, after=after, limit=limit)  # fmt: skip
        selection = filters.selection(_now())
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
    start: chosen.Start = None,
    end: chosen.End = None,
    rejected: chosen.Rejected = None,
    source: chosen.Source = None,
    event_type: chosen.EventType = None,
    schema_version: chosen.SchemaVersion = None,
    state: chosen.States = None,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Count quarantined records, and what share of all records they are."""
    with quarantined("count the quarantine"):
        filters = Filters(start, end, rejected, source, event_type, schema_version, state=state)
        selection = filters.selection(_now())
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


@app.command("patch")
@reported
def patch_command(
    rule_file: Annotated[
        str | None, typer.Argument(metavar="[RULE]", help="Its file, or the hash of a used one.")
    ] = None,
    *,
    rename: Annotated[
        list[str] | None, typer.Option(metavar="OLD=NEW", help="Move a field.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Put a value (JSON).")
    ] = None,
    default: Annotated[
        list[str] | None, typer.Option(metavar="PATH=VALUE", help="Put it where none is.")
    ] = None,
    cast: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH=TYPE", help="int, float, string, bool or timestamp[:FORMAT[@ZONE]]."
        ),
    ] = None,
    drop: Annotated[list[str] | None, typer.Option(metavar="PATH", help="Take it away.")] = None,
    decode: Annotated[
        str | None, typer.Option(help="What the bytes are, if not UTF-8: latin-1 or cp1252.")
    ] = None,
    as_is: Annotated[bool, typer.Option("--as-is", help="Change nothing: judge anew.")] = False,
    save: Annotated[
        Path | None, typer.Option(help="Write the rule to this file, for `recover --rule`.")
    ] = None,
    examples: Examples = 1,
    start: chosen.Start = None,
    end: chosen.End = None,
    rejected: chosen.Rejected = None,
    source: chosen.Source = None,
    event_type: chosen.EventType = None,
    schema_version: chosen.SchemaVersion = None,
    record: chosen.Records = None,
    limit: chosen.Limit = None,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Try a rule: before, after, would it validate now, how many of all. Nothing is sent.

    Options are applied in this order: rename, set, default, cast, drop; a file says its own.
    """
    parts = (rename, set_, default, cast, drop)
    with quarantined("try the rule"):
        filters = Filters(start, end, rejected, source, event_type, schema_version, record,
                          limit=limit)  # fmt: skip
        selection = recoverable(filters.selection(_now()))
        options = RuleOptions(decode, *(tuple(each or ()) for each in parts))
        quarantines = Quarantines.of(target.load())
        rule = quarantines.rule(rule_file, options, as_is=as_is)
        _preview(quarantines, selection, rule, examples, as_json=as_json)
        if save is not None:
            save.write_bytes(rule.canonical + b"\n")


@app.command("recover")
@reported
def recover_command(
    *,
    rule_name: Annotated[
        str | None,
        typer.Option("--rule", metavar="FILE|HASH", help="The rule, or the hash of a used one."),
    ] = None,
    as_is: Annotated[bool, typer.Option("--as-is", help="Send the bytes as they came.")] = False,
    start: chosen.Start = None,
    end: chosen.End = None,
    rejected: chosen.Rejected = None,
    source: chosen.Source = None,
    event_type: chosen.EventType = None,
    schema_version: chosen.SchemaVersion = None,
    record: chosen.Records = None,
    limit: chosen.Limit = None,
    rate: Annotated[float | None, typer.Option(min=0.1, help="Events per second at most.")] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Until ingest has them; 3 if not all are events then.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Send and mark nothing: what `patch` shows.")
    ] = False,
    reason: Reason = "",
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Send the records that the rule mends to the stream, and mark them with its hash.

    What is recovered or dropped already is left alone: run twice, the second does nothing. Killed
    half-way, run it again with the same rule: what was sent twice, ingest drops as duplicates.
    """
    with quarantined("recover"):
        filters = Filters(start, end, rejected, source, event_type, schema_version, record,
                          limit=limit)  # fmt: skip
        selection = recoverable(filters.selection(_now()))
        quarantines = Quarantines.of(target.load())
        rule = quarantines.rule(rule_name, RuleOptions(), as_is=as_is)
        if dry_run:
            _preview(quarantines, selection, rule, 1, as_json=as_json)
            return
        why = stated_reason(quarantines.environment, reason)
        door = quarantines.door(rate)
        progress = _recover(
            quarantines, selection, rule, Actor(operator(), why), door, quiet=as_json
        )
        with render.working("waiting for ingest"):
            fates = quarantines.followed(door) if wait else None
    if as_json:
        print_json(_recovered_fields(progress, rule, fates))
    else:
        quarantine_tables.show_recovered(progress, rule)
        if wait:
            quarantine_tables.show_fates(fates)
        elif progress.sent:
            render.out().print("follow them with: millrace status", markup=False)
    if progress.begun_by_others or (wait and not _all_events(fates)):
        raise typer.Exit(int(ExitCode.UNACCOUNTED))


@app.command("drop")
@reported
def drop_command(
    *,
    reason: Annotated[str, typer.Option(help="Why; kept in the mark and the audit.")],
    start: chosen.Start = None,
    end: chosen.End = None,
    rejected: chosen.Rejected = None,
    source: chosen.Source = None,
    event_type: chosen.EventType = None,
    schema_version: chosen.SchemaVersion = None,
    record: chosen.Records = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Everything that arrived in the time.")
    ] = False,
    limit: chosen.Limit = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Mark nothing: say how many.")] = False,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Mark records that nobody wants back as dropped. Their bytes stay where they are."""
    with quarantined("drop"):
        filters = Filters(start, end, rejected, source, event_type, schema_version, record,
                          [State.OPEN], limit=limit)  # fmt: skip
        if not reason.strip():
            raise CommandError("--reason says nothing", "say why in a few words", ExitCode.USAGE)
        if not (filters.chosen or everything):
            raise CommandError(
                "nothing says which records to drop",
                "choose some (--rejected, --source, --type, --record), or say --all",
                ExitCode.USAGE,
            )
        selection = filters.selection(_now())
        quarantines = Quarantines.of(target.load())
        actor = Actor(operator(), reason.strip())
        dropped = _drop(quarantines, selection, actor, dry_run=dry_run, quiet=as_json)
    if as_json:
        fields = {"dropped": dropped.records, "rejected": dict(dropped.reasons)}
        print_json(fields | {"dry_run": dry_run})
    else:
        quarantine_tables.show_dropped(dropped, dry_run=dry_run)


def _preview(
    quarantines: Quarantines, selection: Selection, rule: Rule, examples: int, *, as_json: bool
) -> None:
    with render.working("judging"):
        held = quarantines.quarantine.records(selection)
        found = preview(held, rule, _now(), quarantines.limits(), examples)
    if as_json:
        print_json(preview_fields(found))
    else:
        quarantine_tables.show_preview(found)


def _recover(
    quarantines: Quarantines,
    selection: Selection,
    rule: Rule,
    actor: Actor,
    door: StreamDoor,
    *,
    quiet: bool,
) -> Progress:
    """Recover, audited; whatever stops it says how far it came."""
    progress = Progress()
    recovery = quarantines.recovery(door)
    commits = quarantines.quarantine.commits(selection)
    operation = Operation(
        "quarantine.recover", described(selection), actor.who, actor.reason,
        {"rule": rule.rule_hash},
    )  # fmt: skip
    log = audit_log(quarantines.environment)
    with audited(log, SystemClock(), operation) as tally:
        try:
            with render.counting_bar("Recovering", None, quiet=quiet) as show:
                recovery.recover(commits, rule, actor, progress, lambda now: show(now.sent))
        except KeyboardInterrupt as err:
            raise CommandError(
                f"interrupted ({progress.sent:,} records were recovered)",
                "run it again with the same rule: it goes on",
                ExitCode.INTERRUPTED,
            ) from err
        finally:
            _tell(tally, progress)
    return progress


def _tell(tally: Tally, progress: Progress) -> None:
    for name, number in (
        ("selected", progress.selected),
        ("sent", progress.sent),
        ("still rejected", progress.problems.total()),
        ("begun by another rule", progress.begun_by_others.total()),
    ):
        tally.add(name, number)


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


def _recovered_fields(
    progress: Progress, rule: Rule, fates: dict[Fate, int] | None
) -> dict[str, object]:
    return {
        "rule_hash": rule.rule_hash,
        "selected": progress.selected,
        "sent": progress.sent,
        "problems": dict(progress.problems),
        "begun_by_other_rules": dict(progress.begun_by_others),
        "fates": None if fates is None else {fate.value: count for fate, count in fates.items()},
    }


def _all_events(fates: dict[Fate, int] | None) -> bool:
    """Tell whether every record became an event that counts, by this recovery or before."""
    counting = {Fate.ACCEPTED, Fate.DUPLICATE}
    return fates is not None and fates.keys() <= counting


def _now() -> datetime:
    return datetime.now(UTC)
