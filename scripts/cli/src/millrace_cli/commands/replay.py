"""The commands of replays: plan, apply, watch and compare."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from millrace.audit import Operation, audited
from millrace.clock import SystemClock
from millrace.replay.difference import Comparison
from millrace.replay.operations import DEFAULT_RATE, Order
from millrace.replay.record import Replay
from millrace.replay.selection import DEFAULT_LIMIT, Selection, parse_bound
from millrace_cli import replay_tables
from millrace_cli.commands.promote import promote_command
from millrace_cli.environment import DEFAULT_ENGINE, Environment, load_environment
from millrace_cli.errors import ExitCode
from millrace_cli.operators import Reason, audit_log, operator, stated_reason
from millrace_cli.options import AsJson, Engine, Env, OutputsFile
from millrace_cli.replay import (
    Replays,
    asked,
    comparison_fields,
    parse_limit,
    plan_fields,
    replay_fields,
    status_fields,
    would_be_fields,
)
from millrace_cli.reporting import OneLineGroup, print_json, reported

app = typer.Typer(
    cls=OneLineGroup,
    help="Run a slice of history again into a version of its own, and compare it with live.",
    no_args_is_help=True,
)

PlanId = Annotated[str, typer.Argument(metavar="PLAN", help="Id that `replay plan` printed.")]
ReplayId = Annotated[str, typer.Argument(metavar="REPLAY", help="Id that `replay apply` printed.")]
Rate = Annotated[int, typer.Option(min=1, max=10_000, help="Messages a second at most.")]
app.command("promote")(promote_command)


@app.command("plan")
@reported
def plan_command(
    *,
    start: Annotated[str, typer.Option("--from", help="First instant: 2025-12-28T09:00:00Z.")],
    end: Annotated[str, typer.Option("--to", help="First instant behind the window.")],
    entity: Annotated[str | None, typer.Option(help="Only this entity's events.")] = None,
    source: Annotated[str | None, typer.Option(help="Only this source's events.")] = None,
    event_type: Annotated[str | None, typer.Option("--type", help="Only this type.")] = None,
    include_duplicates: Annotated[
        bool, typer.Option("--include-duplicates", help="Repeated events, too.")
    ] = False,
    limit: Annotated[str, typer.Option(metavar="N|none", help="Refuse a larger selection.")] = str(
        DEFAULT_LIMIT
    ),
    metrics: Annotated[
        Path | None, typer.Option(help="Metric definitions (TOML) instead of the deployed ones.")
    ] = None,
    rate: Rate = DEFAULT_RATE,
    as_json: AsJson = False,
    engine: Engine = DEFAULT_ENGINE,
    env: Env = None,
    outputs: OutputsFile = None,
) -> None:
    """Select events, say what their replay would be, and store it: nothing runs yet."""
    with asked("plan the replay"):
        selection = Selection(
            start=parse_bound(start, "--from"),
            end=parse_bound(end, "--to"),
            entity_id=entity,
            source=source,
            event_type=event_type,
            include_duplicates=include_duplicates,
            limit=parse_limit(limit),
        )
        replays = Replays.of(load_environment(engine, outputs, env))
        defined = replays.definitions_in(metrics)
        with replay_tables.events_progress(
            "looking into the index", "found", quiet=as_json
        ) as tell:
            plan = replays.planner.plan(selection, defined, operator(), rate, tell)
    if as_json:
        print_json(plan_fields(plan))
    else:
        replay_tables.show_plan(plan)


@app.command("apply")
@reported
def apply_command(
    plan_id: PlanId,
    *,
    rate: Rate = DEFAULT_RATE,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write no aggregates; report says what would be.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="A plan applied before, into a version of its own.")
    ] = False,
    reason: Reason = "",
    as_json: AsJson = False,
    engine: Engine = DEFAULT_ENGINE,
    env: Env = None,
    outputs: OutputsFile = None,
) -> None:
    """Start exactly what was planned. It runs in the pipeline: this command does not wait."""
    environment = load_environment(engine, outputs, env)
    replays = Replays.of(environment)
    with _audited(environment, "apply", plan_id, reason) as said, asked("apply the plan"):
        order = Order(operator(), said, rate, dry_run=dry_run, again=again)
        replay = replays.operations.apply(plan_id, order)
    if as_json:
        print_json(replay_fields(replay))
    else:
        replay_tables.show_started(replay)


@app.command("status")
@reported
def status_command(
    replay_id: ReplayId,
    *,
    as_json: AsJson = False,
    engine: Engine = DEFAULT_ENGINE,
    env: Env = None,
    outputs: OutputsFile = None,
) -> None:
    """Show how far a replay has come, what it skipped and why, and who did what to it."""
    replays = Replays.of(load_environment(engine, outputs, env))
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
    engine: Engine = DEFAULT_ENGINE,
    env: Env = None,
    outputs: OutputsFile = None,
) -> None:
    """Stop sending; what is sent already is processed."""
    environment = load_environment(engine, outputs, env)
    replays = Replays.of(environment)
    with _audited(environment, "pause", replay_id, reason) as said, asked("pause the replay"):
        replay = replays.operations.pause(replay_id, operator(), said)
    _show(replay, as_json=as_json)


@app.command("resume")
@reported
def resume_command(
    replay_id: ReplayId,
    *,
    reason: Reason = "",
    as_json: AsJson = False,
    engine: Engine = DEFAULT_ENGINE,
    env: Env = None,
    outputs: OutputsFile = None,
) -> None:
    """Go on from the last checkpoint, after a pause or where a worker died for good."""
    environment = load_environment(engine, outputs, env)
    replays = Replays.of(environment)
    with _audited(environment, "resume", replay_id, reason) as said, asked("resume the replay"):
        replay = replays.operations.resume(replay_id, operator(), said)
    _show(replay, as_json=as_json)


@app.command("cancel")
@reported
def cancel_command(
    replay_id: ReplayId,
    *,
    reason: Reason = "",
    as_json: AsJson = False,
    engine: Engine = DEFAULT_ENGINE,
    env: Env = None,
    outputs: OutputsFile = None,
) -> None:
    """End a replay for good; messages of it that still wait have no effect."""
    environment = load_environment(engine, outputs, env)
    replays = Replays.of(environment)
    with _audited(environment, "cancel", replay_id, reason) as said, asked("cancel the replay"):
        replay = replays.operations.cancel(replay_id, operator(), said)
    _show(replay, as_json=as_json)


@app.command("list")
@reported
def list_command(
    *,
    as_json: AsJson = False,
    engine: Engine = DEFAULT_ENGINE,
    env: Env = None,
    outputs: OutputsFile = None,
) -> None:
    """List the replays, newest first."""
    replays = Replays.of(load_environment(engine, outputs, env))
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
    engine: Engine = DEFAULT_ENGINE,
    env: Env = None,
    outputs: OutputsFile = None,
) -> None:
    """Show the rows that a dry run would have written: scope, window, metric, value, events."""
    replays = Replays.of(load_environment(engine, outputs, env))
    with (
        asked("report on the dry run"),
        replay_tables.events_progress("reading", "counted", quiet=as_json) as tell,
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
    everything: Annotated[
        bool, typer.Option("--all", help="Rows that are the same or partial, too.")
    ] = False,
    only_replayed: Annotated[
        bool, typer.Option("--only-replayed", help="Do not look for rows that only live has.")
    ] = False,
    as_json: AsJson = False,
    engine: Engine = DEFAULT_ENGINE,
    env: Env = None,
    outputs: OutputsFile = None,
) -> None:
    """Compare a replay with live, row by row, and say why they differ (then exit code 3)."""
    replays = Replays.of(load_environment(engine, outputs, env))
    with asked("compare the replay"):
        comparisons = list(replays.diffing.diff(replay_id, only_replayed=only_replayed))
    shown = comparisons if everything else [each for each in comparisons if each.verdict.differs]
    if as_json:
        print_json([comparison_fields(each) for each in shown])
    else:
        replay_tables.show_diff(comparisons, shown)
    _end(comparisons)


@contextmanager
def _audited(environment: Environment, verb: str, subject: str, reason: str) -> Generator[str]:
    """Hand out the reason, and keep in the audit what is done to a plan or a replay with it.

    Raises:
        CommandError: a reason is needed here, and there is none.
    """
    said = stated_reason(environment, reason)
    operation = Operation(f"replay.{verb}", subject, operator(), said)
    with audited(audit_log(environment), SystemClock(), operation):
        yield said


def _end(comparisons: list[Comparison]) -> None:
    if any(each.verdict.differs for each in comparisons):
        raise typer.Exit(int(ExitCode.UNACCOUNTED))


def _show(replay: Replay, *, as_json: bool) -> None:
    if as_json:
        print_json(replay_fields(replay))
    else:
        replay_tables.show_replays([replay])
