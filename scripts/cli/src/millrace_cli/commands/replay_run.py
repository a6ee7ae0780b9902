"""A replay from here to its end: plan, ask, apply, follow, compare."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from millrace.replay.difference import Comparison
from millrace.replay.dry_run import WouldBe
from millrace.replay.operations import Order, ReplayStatus
from millrace.replay.plan import Plan
from millrace.replay.record import ReplayState
from millrace_cli import replay_progress, replay_tables
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.operators import Reason, operator, stated_reason
from millrace_cli.options import AsJson, Target
from millrace_cli.replay import Replays, asked, kept_in_audit
from millrace_cli.replay_fields import (
    comparison_fields,
    plan_fields,
    status_fields,
    would_be_fields,
)
from millrace_cli.replay_following import follow
from millrace_cli.replay_options import DryRun, Everything, ReplayId, Wanted
from millrace_cli.reporting import print_json, reported


@reported
def run_command(
    *,
    wanted: Wanted,
    dry_run: DryRun = False,
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Apply without asking.")] = False,
    everything: Everything = False,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Plan, show the plan, ask, apply it, follow it to its end, and compare it with live.

    After a dry run it shows what would have been written. Ctrl-C ends the watching, never the
    replay. Exit codes as of `replay diff`.
    """
    if as_json and not yes:
        raise CommandError("--json without --yes", "nobody can be asked then", ExitCode.USAGE)
    with asked("plan the replay"):
        selection = wanted.selection()
        environment = target.load()
        said = stated_reason(environment, reason)  # before a long plan, not after it
        replays = Replays.of(environment)
        plan = wanted.planned(selection, replays, quiet=as_json)
    if not as_json:
        replay_tables.show_plan(plan, next_step=False)
    if not plan.events:
        if as_json:
            print_json(_run_fields(plan, None))
        return
    if not yes:
        _confirm(plan)
    with kept_in_audit(environment, "apply", plan.plan_id, said), asked("apply the plan"):
        order = Order(operator(), said, wanted.rate, dry_run=dry_run)
        replay = replays.operations.apply(plan.plan_id, order)
    status = followed(replays, replay.replay_id, quiet=as_json)
    ended_well(status)
    if not as_json:
        replay_tables.show_status(status)
    if dry_run:
        _report(replays, plan, status, as_json=as_json)
    else:
        _compare(replays, plan, status, everything=everything, as_json=as_json)


@reported
def wait_command(
    replay_id: ReplayId,
    *,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Follow a replay until it ends: exit code 0 once it is completed, 1 if it never will be."""
    replays = Replays.of(target.load())
    status = followed(replays, replay_id, quiet=as_json)
    if as_json:
        print_json(status_fields(status))
    else:
        replay_tables.show_status(status)
    ended_well(status)


def differing(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Return the rows that a person should look at."""
    return [each for each in comparisons if each.verdict.differs]


def end_compared(comparisons: Sequence[Comparison]) -> None:
    """End the command by what a comparison came to: 0, or 3 if anything differs."""
    if differing(comparisons):
        raise typer.Exit(int(ExitCode.UNACCOUNTED))


def would_be(replays: Replays, replay_id: str, *, quiet: bool) -> list[WouldBe]:
    """Return the rows that a dry run would have written; shows how far it is.

    Raises:
        CommandError: there is no such replay, or it cannot be read.
    """
    with (
        asked("report on the dry run"),
        replay_progress.events_progress("reading", "counted", quiet=quiet) as tell,
    ):
        return list(replays.dry_runs.report(replay_id, tell))


def _confirm(plan: Plan) -> None:
    kept = f"nothing runs; the plan is kept: `millrace replay apply {plan.plan_id}`"
    try:
        applies = typer.confirm("Apply it?", err=True)
    except typer.Abort as err:
        raise CommandError("nobody answered", f"{kept}, or --yes where nobody can") from err
    if not applies:
        raise CommandError("not applied", kept)


def followed(replays: Replays, replay_id: str, *, quiet: bool) -> ReplayStatus:
    """Return the status with which the replay ended.

    Raises:
        CommandError: it cannot be read, or the user has seen enough; it goes on all the same.
    """
    try:
        with asked("look at the replay"), replay_progress.following_bar(quiet=quiet) as show:
            return follow(lambda: replays.operations.status(replay_id), show)
    except KeyboardInterrupt as err:
        raise CommandError(
            f"interrupted; replay {replay_id} goes on",
            f"`millrace replay wait {replay_id}` follows it, "
            f"`millrace replay cancel {replay_id}` ends it",
            ExitCode.INTERRUPTED,
        ) from err


def ended_well(status: ReplayStatus) -> None:
    """Raise CommandError unless the replay was completed."""
    replay = status.replay
    if replay.state is not ReplayState.COMPLETED:
        raise CommandError(
            f"replay {replay.replay_id} is {replay.state.value}",
            f"`millrace replay status {replay.replay_id}` says by whom and why",
        )


def _compare(
    replays: Replays, plan: Plan, status: ReplayStatus, *, everything: bool, as_json: bool
) -> None:
    with asked("compare the replay"):
        comparisons = list(replays.diffing.diff(status.replay.replay_id))
    shown = comparisons if everything else differing(comparisons)
    if as_json:
        rows = [comparison_fields(each) for each in shown]
        print_json(_run_fields(plan, status) | {"diff": rows})
    else:
        replay_tables.show_diff(comparisons, shown)
    end_compared(comparisons)


def _report(replays: Replays, plan: Plan, status: ReplayStatus, *, as_json: bool) -> None:
    rows = would_be(replays, status.replay.replay_id, quiet=as_json)
    if as_json:
        report = [would_be_fields(each) for each in rows]
        print_json(_run_fields(plan, status) | {"report": report})
    else:
        replay_tables.show_would_be(rows)


def _run_fields(plan: Plan, status: ReplayStatus | None) -> dict[str, Any]:
    return {
        "plan": plan_fields(plan),
        "replay": status_fields(status) if status else None,
    }
