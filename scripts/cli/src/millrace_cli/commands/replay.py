"""The commands of replays: plan, apply, watch and compare."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import typer

from millrace.replay.operations import DEFAULT_RATE, Operations, Order
from millrace.replay.record import Replay
from millrace_cli import replay_tables
from millrace_cli.commands.promote import promote_command
from millrace_cli.commands.replay_run import (
    differing,
    end_compared,
    run_command,
    wait_command,
    would_be,
)
from millrace_cli.operators import Reason, operator
from millrace_cli.options import AsJson, Target
from millrace_cli.replay import Replays, asked, kept_in_audit
from millrace_cli.replay_fields import (
    comparison_fields,
    plan_fields,
    replay_fields,
    status_fields,
    would_be_fields,
)
from millrace_cli.replay_options import (
    DryRun,
    Everything,
    IdOnly,
    PlanId,
    Rate,
    ReplayId,
    Wanted,
)
from millrace_cli.reporting import OneLineGroup, print_json, reported

app = typer.Typer(
    cls=OneLineGroup,
    help="Run a slice of history again into a version of its own, and compare it with live.",
    no_args_is_help=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The options of what is done to a replay that is there."""

    reason: Reason = ""
    as_json: AsJson = False
    target: Target


@app.command("plan")
@reported
def plan_command(
    *,
    wanted: Wanted,
    id_only: IdOnly = False,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Select events, say what their replay would be, and store it: nothing runs yet."""
    with asked("plan the replay"):
        selection = wanted.selection()
        replays = Replays.of(target.load())
        plan = wanted.planned(selection, replays, quiet=as_json or id_only)
    if as_json:
        print_json(plan_fields(plan))
    elif id_only:
        typer.echo(plan.plan_id)
    else:
        replay_tables.show_plan(plan)


@app.command("apply")
@reported
def apply_command(
    plan_id: PlanId,
    *,
    rate: Rate = DEFAULT_RATE,
    dry_run: DryRun = False,
    again: Annotated[
        bool, typer.Option("--again", help="A plan applied before, into a version of its own.")
    ] = False,
    reason: Reason = "",
    id_only: IdOnly = False,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Start exactly what was planned. It runs in the pipeline: this command does not wait."""
    environment = target.load()
    replays = Replays.of(environment)
    with kept_in_audit(environment, "apply", plan_id, reason) as said, asked("apply the plan"):
        order = Order(operator(), said, rate, dry_run=dry_run, again=again)
        replay = replays.operations.apply(plan_id, order)
    if as_json:
        print_json(replay_fields(replay))
    elif id_only:
        typer.echo(replay.replay_id)
    else:
        replay_tables.show_started(replay)


@app.command("status")
@reported
def status_command(
    replay_id: ReplayId,
    *,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Show how far a replay has come, what it skipped and why, and who did what to it."""
    replays = Replays.of(target.load())
    with asked("look at the replay"):
        status = replays.operations.status(replay_id)
    if as_json:
        print_json(status_fields(status))
    else:
        replay_tables.show_status(status)


@app.command("pause")
@reported
def pause_command(replay_id: ReplayId, *, move: Move) -> None:
    """Stop sending; what is sent already is processed."""
    _carry_out("pause", Operations.pause, replay_id, move)


@app.command("resume")
@reported
def resume_command(replay_id: ReplayId, *, move: Move) -> None:
    """Go on from the last checkpoint, after a pause or where a worker died for good."""
    _carry_out("resume", Operations.resume, replay_id, move)


@app.command("cancel")
@reported
def cancel_command(replay_id: ReplayId, *, move: Move) -> None:
    """End a replay for good; messages of it that still wait have no effect."""
    _carry_out("cancel", Operations.cancel, replay_id, move)


@app.command("list")
@reported
def list_command(
    *,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """List the replays, newest first."""
    replays = Replays.of(target.load())
    with asked("list the replays"):
        found = list(replays.operations.ledger.replays())
    if as_json:
        print_json([replay_fields(each) for each in found])
    else:
        replay_tables.show_replays(found)


@app.command("report")
@reported
def report_command(
    replay_id: ReplayId,
    *,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Show the rows that a dry run would have written: scope, window, metric, value, events."""
    replays = Replays.of(target.load())
    rows = would_be(replays, replay_id, quiet=as_json)
    if as_json:
        print_json([would_be_fields(each) for each in rows])
    else:
        replay_tables.show_would_be(rows)


@app.command("diff")
@reported
def diff_command(
    replay_id: ReplayId,
    *,
    everything: Everything = False,
    only_replayed: Annotated[
        bool, typer.Option("--only-replayed", help="Do not look for rows that only live has.")
    ] = False,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Compare a replay with live, row by row, and say why they differ (then exit code 3)."""
    replays = Replays.of(target.load())
    with asked("compare the replay"):
        comparisons = list(replays.diffing.diff(replay_id, only_replayed=only_replayed))
    shown = comparisons if everything else differing(comparisons)
    if as_json:
        print_json([comparison_fields(each) for each in shown])
    else:
        replay_tables.show_diff(comparisons, shown)
    end_compared(comparisons)


def _carry_out(
    verb: str, act: Callable[[Operations, str, str, str], Replay], replay_id: str, move: Move
) -> None:
    environment = move.target.load()
    replays = Replays.of(environment)
    with (
        kept_in_audit(environment, verb, replay_id, move.reason) as said,
        asked(f"{verb} the replay"),
    ):
        replay = act(replays.operations, replay_id, operator(), said)
    if move.as_json:
        print_json(replay_fields(replay))
    else:
        replay_tables.show_replay(replay)


app.command("promote")(promote_command)
app.command("wait")(wait_command)
app.command("run")(run_command)
