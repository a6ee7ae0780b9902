"""The commands of discarded batches: list, show, repair, abandon."""

from typing import Annotated

import typer

from millrace.audit import Operation, audited
from millrace.clock import SystemClock
from millrace.discarded.batch import State
from millrace.discarded.deadline import Source
from millrace.discarded.request import MOST_SHOWN, Action, DiscardedRequest
from millrace_cli import failure_tables
from millrace_cli.environment import Environment
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.failure_repair import LambdaRepair, Repair, repair_all
from millrace_cli.failures import Failure, Failures
from millrace_cli.operators import audit_log, operator, stated_reason
from millrace_cli.options import AsJson, Change, Target
from millrace_cli.reporting import OneLineGroup, print_json, reported

app = typer.Typer(
    cls=OneLineGroup,
    help="Batches that the stream's mapping gave up: see what is left, repair, or give up.",
    no_args_is_help=True,
)

BatchId = Annotated[str, typer.Argument(metavar="ID", help="Id that `failures list` printed.")]


@app.command("list")
@reported
def list_command(
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Repaired and abandoned ones, too.")
    ] = False,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Show what was given up and how long it can still be repaired, the most urgent first."""
    failures = Failures(target.load())
    found, now = failures.listed(closed=everything), failures.now()
    if as_json:
        print_json([each.as_dict(now) for each in found])
    else:
        failure_tables.show_failures(found, now)


@app.command("show")
@reported
def show_command(
    batch_id: BatchId,
    *,
    records: Annotated[
        int, typer.Option(min=0, max=MOST_SHOWN, help="Records to decode and show.")
    ] = 10,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Show one batch: its range, why it was given up, what is covered, and decoded records."""
    environment = target.load()
    failures = Failures(environment)
    (failure,) = failures.chosen([batch_id])
    request = DiscardedRequest.about(Action.SHOW, failure.batch, records)
    answer = LambdaRepair(environment).ask(request)
    if as_json:
        print_json(failure.as_dict(failures.now()) | {"found": answer.as_dict()})
    else:
        failure_tables.show_failure(failure, answer, failures.now())


@app.command("repair")
@reported
def repair_command(
    batch_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Batches to repair.")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All that are open.")] = False,
    change: Change,
) -> None:
    """Commit what was given up, under its own shard and sequence numbers, until it is done.

    What a commit holds already is skipped, so it can be run again, and interrupted. The most
    urgent batch comes first. Exit code 1 if a batch is not repaired.
    """
    if bool(batch_ids) == everything:
        raise CommandError("say which batches", "give their ids, or --all", ExitCode.USAGE)
    environment = change.target.load()
    failures = Failures(environment)
    chosen = failures.listed() if everything else failures.chosen(batch_ids or [])
    if change.dry_run:
        _preview(environment, chosen, as_json=change.as_json)
        return
    subject = "all" if everything else " ".join(each.batch.batch_id for each in chosen)
    repairs = _repaired(environment, chosen, subject, change.reason, quiet=change.as_json)
    if change.as_json:
        print_json([each.as_dict() for each in repairs])
    else:
        failure_tables.show_repairs(repairs)
    if any(each.problem for each in repairs):
        raise typer.Exit(int(ExitCode.ERROR))


def _repaired(
    environment: Environment, chosen: list[Failure], subject: str, reason: str, *, quiet: bool
) -> list[Repair]:
    operation = Operation(
        "failures.repair", subject, operator(), stated_reason(environment, reason)
    )
    with (
        audited(audit_log(environment), SystemClock(), operation) as tally,
        failure_tables.repair_progress(len(chosen), quiet=quiet) as listener,
    ):
        return repair_all(LambdaRepair(environment), chosen, tally, [listener])


def _preview(environment: Environment, chosen: list[Failure], *, as_json: bool) -> None:
    function = LambdaRepair(environment)
    previews = [
        (each, function.ask(DiscardedRequest.about(Action.PREVIEW, each.batch))) for each in chosen
    ]
    if as_json:
        print_json([{"id": each.batch.batch_id} | answer.as_dict() for each, answer in previews])
    else:
        failure_tables.show_previews(previews)


@app.command("abandon")
@reported
def abandon_command(
    batch_id: BatchId,
    *,
    confirm: Annotated[
        str | None, typer.Option(metavar="ID", help="The id once more, instead of the question.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Although its records can still be had.")
    ] = False,
    change: Change,
) -> None:
    """Give up for good what no commit holds of a batch, so that it can be sent again.

    Say why with --reason. The batch is never repaired after that.
    """
    environment = change.target.load()
    failures = Failures(environment)
    (failure,) = failures.chosen([batch_id])
    _refuse(failure, change.reason, dry_run=change.dry_run, force=force)
    ranges = len(failures.holes(failure))
    if not change.as_json:
        failure_tables.show_meaning(failure, ranges)
    if not change.dry_run:
        _confirm(batch_id, confirm, as_json=change.as_json)
        ranges = _abandoned(environment, failures, failure, change.reason)
    if change.as_json:
        print_json({"id": batch_id, "ranges": ranges, "abandoned": not change.dry_run})


def _abandoned(environment: Environment, failures: Failures, failure: Failure, reason: str) -> int:
    batch, who = failure.batch, operator()
    why = stated_reason(environment, reason)
    details = {"first": str(batch.range.first), "last": str(batch.range.last)}
    subject = f"{batch.shard.shard_id} {batch.batch_id}"
    operation = Operation("failures.abandon", subject, who, why, details)
    with audited(audit_log(environment), SystemClock(), operation) as tally:
        ranges = failures.abandon(failure, who, why)
        tally.add("ranges", ranges)
        return ranges


def _refuse(failure: Failure, reason: str, *, dry_run: bool, force: bool) -> None:
    batch = failure.batch
    if batch.state is not State.OPEN:
        raise CommandError(f"{batch.batch_id} is {batch.state} already")
    if dry_run:
        return
    if not reason.strip():
        raise CommandError(
            "say why it is given up", "give --reason; it is kept for good", ExitCode.USAGE
        )
    if failure.deadline.source is not Source.NOWHERE and not force:
        raise CommandError(
            f"{batch.batch_id} can still be repaired from its {failure.deadline.source}",
            f"`millrace failures repair {batch.batch_id}`; --force abandons it all the same",
        )


def _confirm(batch_id: str, confirm: str | None, *, as_json: bool) -> None:
    if confirm is None and as_json:
        raise CommandError("--json asks nothing", f"confirm with --confirm {batch_id}")
    typed = confirm if confirm is not None else typer.prompt("Type the id to abandon it", err=True)
    if typed.strip() != batch_id:
        raise CommandError(f"{typed!r} is not {batch_id}", "nothing was abandoned", ExitCode.USAGE)
