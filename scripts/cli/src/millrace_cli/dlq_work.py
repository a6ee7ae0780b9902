"""Doing something to the dead letters of a queue: audited, with progress, once it is confirmed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer

from millrace.audit import Operation, Tally, audited
from millrace.clock import SystemClock
from millrace.dlq.looking import Tell
from millrace.dlq.ports import MoveTask
from millrace.dlq.redrive import Order, Redriven
from millrace.dlq.selection import Selection
from millrace_cli import dlq_tables, render
from millrace_cli.dlq import QueueLetters, handled, look_fields
from millrace_cli.environment import Environment
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.operators import audit_log, operator, stated_reason
from millrace_cli.reporting import print_json

_EVERY_WINDOW = 1_000_000


def redriven(
    environment: Environment, queue: QueueLetters, order: Order, reason: str, *, quiet: bool
) -> Redriven:
    """Send dead letters back as the order says; how far it came is audited also if interrupted.

    Raises:
        CommandError: there is no reason where one is needed, or SQS or the notes did not answer.
    """
    how = {"rate": str(order.rate), "force": str(order.force)}
    with (
        audited_work(environment, "redrive", queue, order.selection, reason, **how) as tally,
        bar("Sending back", queue, quiet=quiet) as show,
        handled(f"redrive {queue.key}"),
    ):

        def tell(sent: int) -> None:
            tally.counts["sent"] = sent  # also what an interrupted one has done
            show(sent)

        done = _sent(queue, order, tell)
        tally.counts["sent"] = done.sent
        tally.add("left", done.left)
    return done


def _sent(queue: QueueLetters, order: Order, tell: Tell) -> Redriven:
    """Have SQS move the whole queue where it can and is asked for everything; else do it here."""
    if queue.moving is None or not order.selection.is_everything or order.force:
        return queue.redrive.redrive(order, tell)
    try:
        return queue.moving.move(order, tell)
    except KeyboardInterrupt as err:
        raise CommandError(
            "interrupted; a move that SQS has begun goes on",
            f"`millrace dlq redrive {queue.key} --cancel` ends it",
            ExitCode.INTERRUPTED,
        ) from err


def cancelled(environment: Environment, queue: QueueLetters, reason: str) -> MoveTask | None:
    """End the move that SQS is busy with, and return it; None if there is none.

    Raises:
        CommandError: the local engine moves nothing by itself, or SQS did not do it.
    """
    if queue.moving is None:
        raise CommandError("the local engine moves nothing by itself", code=ExitCode.USAGE)
    with (
        audited_work(environment, "cancel", queue, Selection(), reason) as tally,
        handled(f"cancel the move of {queue.key}"),
    ):
        task = queue.moving.cancel()
        tally.add("moved", task.moved if task else 0)
    return task


def confirm_name(queue: QueueLetters, typed: str | None, *, as_json: bool) -> None:
    """Go on only if the full name of the dead-letter queue is typed, or was given.

    Raises:
        CommandError: it is another, or nobody can be asked.
    """
    if typed is None and as_json:
        raise CommandError(
            "--json asks nothing", f"confirm with --confirm {queue.name}", ExitCode.USAGE
        )
    if typed is None:
        question = f"This deletes messages for good. Type {queue.name} to go on"
        typed = typer.prompt(question, err=True)
    if typed != queue.name:
        raise CommandError(
            f"{typed!r} is not the queue's name, nothing was deleted",
            f"give {queue.name}",
            ExitCode.USAGE,
        )


@contextmanager
def audited_work(
    environment: Environment,
    verb: str,
    queue: QueueLetters,
    selection: Selection,
    reason: str,
    **how: str,
) -> Iterator[Tally]:
    """Have the block's work audited, under its verb, with what it was told."""
    operation = Operation(
        name=f"dlq.{verb}",
        subject=queue.name,
        who=operator(),
        reason=stated_reason(environment, reason),
        details=selection.fields() | how,
    )
    with (
        handled("keep the audit"),
        audited(audit_log(environment), SystemClock(), operation) as tally,
    ):
        yield tally


@contextmanager
def bar(what: str, queue: QueueLetters, *, quiet: bool) -> Iterator[Tell]:
    """Show a bar as long as the queue is deep; yield how to say how far it is."""
    with render.counting_bar(f"{what} {queue.key}", depth(queue), quiet=quiet) as show:
        yield show


def depth(queue: QueueLetters) -> int:
    """Return about how many messages there are."""
    with handled("count the dead letters"):
        return queue.letters.depth().total


def show_dry_run(
    verb: str, queues: Sequence[QueueLetters], selection: Selection, *, as_json: bool
) -> None:
    """Print what would be done to the messages of some queues that are selected.

    Raises:
        CommandError: SQS or the notes did not answer.
    """
    with handled("look at the dead letters"):
        looked = [(queue, queue.looking.look(selection, _EVERY_WINDOW)) for queue in queues]
    if as_json:
        print_json([look_fields(queue, look) | {"dry_run": True} for queue, look in looked])
    else:
        dlq_tables.show_dry_run(verb, looked)
