"""The commands of replays: plan, apply, watch and compare."""

from typing import Annotated

import typer

from millrace.replay.operations import DEFAULT_RATE, Order
from millrace.replay.record import Replay
from millrace.replay.selection import DEFAULT_LIMIT
from millrace_cli import replay_progress, replay_tables
from millrace_cli.commands.promote import promote_command
from millrace_cli.commands.replay_run import (
    differing,
    end_compared,
    run_command,
    wait_command,
)
from millrace_cli.operators import Reason, operator
from millrace_cli.options import AsJson, Target
from millrace_cli.replay import (
    Chosen,
    Replays,
    asked,
    comparison_fields,
    kept_in_audit,
    plan_fields,
    replay_fields,
    status_fields,
    would_be_fields,
)
from millrace_cli.replay_options import (
    DryRun,
    Duplicates,
    End,
    Entity,
    EventType,
    Everything,
    IdOnly,
    Limit,
    Metrics,
    PlanId,
    Rate,
    ReplayId,
    Source,
    Start,
)
from millrace_cli.reporting import OneLineGroup, print_json, reported

app = typer.Typer(
    cls=OneLineGroup,
    help="Run a slice of history again into a version of its own, and compare it with live.",
    no_args_is_help=True,
)


@app.command("plan")
@reported
def plan_command(
    *,
    start: Start,
    end: End,
    entity: Entity = None,
    source: Source = None,
    event_type: EventType = None,
    include_duplicates: Duplicates = False,
    limit: Limit = str(DEFAULT_LIMIT),
    metrics: Metrics = None,
    rate: Rate = DEFAULT_RATE,
    id_only: IdOnly = False,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Select events, say what their replay would be, and store it: nothing runs yet."""
    chosen = Chosen(start, end, entity, source, event_type, include_duplicates, limit)
    with asked("plan the replay"):
        selection = chosen.selection()
        replays = Replays.of(target.load())
        defined = replays.definitions_in(metrics)
        with replay_progress.events_progress(
            "looking into the index", "found", quiet=as_json or id_only
        ) as tell:
            plan = replays.planner.plan(selection, defined, operator(), rate, tell)
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
def pause_command(
    replay_id: ReplayId,
    *,
    reason: Reason = "",
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Stop sending; what is sent already is processed."""
    environment = target.load()
    replays = Replays.of(environment)
    with kept_in_audit(environment, "pause", replay_id, reason) as said, asked("pause the replay"):
        replay = replays.operations.pause(replay_id, operator(), said)
    _show(replay, as_json=as_json)


@app.command("resume")
@reported
def resume_command(
    replay_id: ReplayId,
    *,
    reason: Reason = "",
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Go on from the last checkpoint, after a pause or where a worker died for good."""
    environment = target.load()
    replays = Replays.of(environment)
    with (
        kept_in_audit(environment, "resume", replay_id, reason) as said,
        asked("resume the replay"),
    ):
        replay = replays.operations.resume(replay_id, operator(), said)
    _show(replay, as_json=as_json)


@app.command("cancel")
@reported
def cancel_command(
    replay_id: ReplayId,
    *,
    reason: Reason = "",
    as_json: AsJson = False,
    target: Target,
) -> None:
    """End a replay for good; messages of it that still wait have no effect."""
    environment = target.load()
    replays = Replays.of(environment)
    with (
        kept_in_audit(environment, "cancel", replay_id, reason) as said,
        asked("cancel the replay"),
    ):
        replay = replays.operations.cancel(replay_id, operator(), said)
    _show(replay, as_json=as_json)


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
    with (
        asked("report on the dry run"),
        replay_progress.events_progress("reading", "counted", quiet=as_json) as tell,
    ):
        rows = list(replays.dry_runs.report(replay_id, tell))
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


def _show(replay: Replay, *, as_json: bool) -> None:
    if as_json:
        print_json(replay_fields(replay))
    else:
        replay_tables.show_replay(replay)


app.command("promote")(promote_command)
app.command("wait")(wait_command)
app.command("run")(run_command)
