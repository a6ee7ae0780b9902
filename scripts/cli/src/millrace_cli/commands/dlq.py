"""The commands of dead letters: look, send back, write down, delete."""

from typing import Annotated

import typer

from millrace.dlq.leaving import fields_of
from millrace.dlq.redrive import DEFAULT_RATE, DEFAULT_WAIT_S, Order
from millrace.dlq.selection import Selection
from millrace_cli import dlq_tables, render
from millrace_cli.commands.dlq_leaving import export_command, purge_command
from millrace_cli.dlq import (
    QueueLetters,
    chosen,
    dead_letters,
    handled,
    look_fields,
    redriven_fields,
)
from millrace_cli.dlq_options import Letters, Limit, Queue
from millrace_cli.dlq_work import cancelled, depth, redriven, show_dry_run
from millrace_cli.environment import Environment
from millrace_cli.errors import ExitCode
from millrace_cli.options import AsJson, Change, Target
from millrace_cli.reporting import OneLineGroup, print_json, reported

_SAMPLE = 1_000
_LOOK_AT_MOST = 10_000

app = typer.Typer(
    cls=OneLineGroup,
    help="Dead letters: look at them, send them back once the cause is gone, or put them away.",
    no_args_is_help=True,
)


@app.command("list")
@reported
def list_command(
    *,
    sample: Annotated[
        int, typer.Option(min=0, help="Messages of each queue to look at; 0: only count.")
    ] = _SAMPLE,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Show how many dead letters each queue has, since when, and why (then exit code 3).

    Nothing is taken: what is looked at is given back at once. SQS counts it as received, which has
    no consequence in a dead-letter queue.
    """
    queues = dead_letters(target.load())
    with handled("look at the dead letters"):
        looked = [
            (queue, queue.looking.look(Selection(), min(sample, depth(queue))))
            for queue in queues.values()
        ]
    if as_json:
        print_json([look_fields(queue, look) for queue, look in looked])
    else:
        dlq_tables.show_queues(looked)
    _end(left=any(look.depth.total for _, look in looked))


@app.command("show")
@reported
def show_command(
    queue: Queue,
    *,
    letters: Letters,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Show messages one by one: what each is about, and the error that it failed with last."""
    selection = letters.selection(limit)
    (found,) = chosen(dead_letters(target.load()), [queue], everything=False)
    with handled("look at the dead letters"):
        look = found.looking.look(selection, _LOOK_AT_MOST)
    if as_json:
        print_json([fields_of(each, found.letters.queue) for each in look.seen])
    else:
        dlq_tables.show_letters(found, look)


@app.command("redrive")
@reported
def redrive_command(
    queues: Annotated[
        list[str] | None, typer.Argument(metavar="[QUEUE...]", help="As `dlq list` names them.")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every queue.")] = False,
    letters: Letters,
    limit: Limit = None,
    rate: Annotated[int, typer.Option(min=1, max=10_000, help="Messages a second at most.")] = (
        DEFAULT_RATE
    ),
    wait: Annotated[
        int, typer.Option(min=1, max=600, help="Seconds to wait for news of a canary.")
    ] = DEFAULT_WAIT_S,
    force: Annotated[bool, typer.Option("--force", help="Send all, without canaries.")] = False,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="End a move that SQS is busy with, and do no more.")
    ] = False,
    change: Change,
) -> None:
    """Send dead letters back to their queue: of each error a canary first, then its like.

    An error whose canaries fail again stays where it is (exit code 3) and stops no other. It may be
    interrupted and run again at any time: a message is sent before it is deleted, and one that is
    delivered twice counts once.
    """
    selection = letters.selection(limit)
    environment = change.target.load()
    named = chosen(dead_letters(environment), queues or [], everything=everything)
    order = Order(selection, rate, force, wait)
    if cancel:
        for queue in named:
            task = cancelled(environment, queue, change.reason)
            text = f"cancelled after {task.moved:,}" if task else "SQS is not moving anything"
            render.out().print(f"{queue.key}: {text}", markup=False)
    elif change.dry_run:
        show_dry_run("sent back", named, selection, as_json=change.as_json)
    else:
        _redrive(environment, named, order, change.reason, as_json=change.as_json)


def _redrive(
    environment: Environment,
    queues: list[QueueLetters],
    order: Order,
    reason: str,
    *,
    as_json: bool,
) -> None:
    results = [
        (queue, redriven(environment, queue, order, reason, quiet=as_json)) for queue in queues
    ]
    if as_json:
        print_json([redriven_fields(queue, done) for queue, done in results])
    else:
        for queue, done in results:
            dlq_tables.show_redriven(queue, done)
    _end(left=any(done.left or done.newer for _, done in results))


def _end(*, left: bool) -> None:
    if left:
        raise typer.Exit(int(ExitCode.UNACCOUNTED))


app.command("export")(export_command)
app.command("purge")(purge_command)
