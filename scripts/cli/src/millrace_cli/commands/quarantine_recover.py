"""`millrace quarantine recover`: what a rule mends goes to the stream."""

from typing import Annotated

import typer

from millrace.audit import Operation, Tally, audited
from millrace.clock import SystemClock
from millrace.quarantine.following import Fate
from millrace.quarantine.recovering import Actor, Progress
from millrace.quarantine.rule import Rule
from millrace.quarantine.rule_text import RuleOptions
from millrace.quarantine.selection import Selection
from millrace_cli import render
from millrace_cli.commands.quarantine_patch import print_preview
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.operators import Reason, audit_log, operator, stated_reason
from millrace_cli.options import AsJson, Target
from millrace_cli.quarantine import Quarantines, quarantined
from millrace_cli.quarantine_door import StreamDoor
from millrace_cli.quarantine_options import Mendable, described
from millrace_cli.reporting import print_json, reported
from millrace_cli.tables.quarantine import show_fates, show_recovered


@reported
def recover_command(
    *,
    rule_name: Annotated[
        str | None,
        typer.Option("--rule", metavar="FILE|HASH", help="The rule, or the hash of a used one."),
    ] = None,
    as_is: Annotated[bool, typer.Option("--as-is", help="Send the bytes as they came.")] = False,
    mendable: Mendable,
    rate: Annotated[float | None, typer.Option(min=0.1, help="Events per second at most.")] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Until ingest has what was sent; 3 if some is no event.")
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
        selection = mendable.selection(SystemClock().now())
        quarantines = Quarantines.of(target.load())
        rule = quarantines.rule(rule_name, RuleOptions(), as_is=as_is)
        if dry_run:
            print_preview(quarantines, selection, rule, 1, as_json=as_json)
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
        show_recovered(progress, rule)
        if wait:
            show_fates(fates)
        elif progress.sent:
            render.out().print("follow them with: millrace status", markup=False)
    if progress.begun_by_others or (wait and not _all_events(fates)):
        raise typer.Exit(int(ExitCode.UNACCOUNTED))


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
