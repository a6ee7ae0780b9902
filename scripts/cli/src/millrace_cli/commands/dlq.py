"""The commands of dead letters: look, send back, write down, delete."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from millrace.dlq.leaving import fields_of
from millrace.dlq.redrive import DEFAULT_RATE, DEFAULT_WAIT_S, Order
from millrace.dlq.selection import Selection
from millrace_cli import dlq_tables, render
from millrace_cli.dlq import (
    QueueLetters,
    chosen,
    dead_letters,
    handled,
    look_fields,
    parse_age,
    redriven_fields,
)
from millrace_cli.dlq_files import sink_for
from millrace_cli.dlq_work import audited_work, bar, cancelled, confirm_name, depth, redriven
from millrace_cli.environment import Environment
from millrace_cli.errors import ExitCode
from millrace_cli.operators import Reason
from millrace_cli.options import AsJson, Target
from millrace_cli.reporting import OneLineGroup, print_json, reported

_SAMPLE = 1_000
_LOOK_AT_MOST = 10_000
_EVERY_WINDOW = 1_000_000

app = typer.Typer(
    cls=OneLineGroup,
    help="Dead letters: look at them, send them back once the cause is gone, or put them away.",
    no_args_is_help=True,
)

Queue = Annotated[str, typer.Argument(metavar="QUEUE", help="As `dlq list` names it.")]
MessageIds = Annotated[
    list[str] | None, typer.Option("--message-id", help="Only this message; may be repeated.")
]
ErrorPart = Annotated[
    str, typer.Option("--error", help="Only those whose error, as `dlq list` has it, holds this.")
]
OlderThan = Annotated[
    str | None, typer.Option(help="Only those first sent at least so long ago: 90s, 15m, 2h, 3d.")
]
NewerThan = Annotated[str | None, typer.Option(help="Only those first sent less long ago.")]
ReplayId = Annotated[str, typer.Option(help="Only messages of this replay.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="FILE|s3://BUCKET/PREFIX", help="Where; by default a file here."),
]


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
    message_id: MessageIds = None,
    error: ErrorPart = "",
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    replay_id: ReplayId = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Show messages one by one: what each is about, and the error that it failed with last."""
    selection = _selection(message_id, error, (older_than, newer_than), replay_id, limit)
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
    message_id: MessageIds = None,
    error: ErrorPart = "",
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    replay_id: ReplayId = "",
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
    dry_run: DryRun = False,
    reason: Reason = "",
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Send dead letters back to their queue: of each error a canary first, then its like.

    An error whose canaries fail again stays where it is (exit code 3) and stops no other. It may be
    interrupted and run again at any time: a message is sent before it is deleted, and one that is
    delivered twice counts once.
    """
    selection = _selection(message_id, error, (older_than, newer_than), replay_id, limit)
    environment = target.load()
    named = chosen(dead_letters(environment), queues or [], everything=everything)
    order = Order(selection, rate, force, wait)
    if cancel:
        for queue in named:
            task = cancelled(environment, queue, reason)
            text = f"cancelled after {task.moved:,}" if task else "SQS is not moving anything"
            render.out().print(f"{queue.key}: {text}", markup=False)
    elif dry_run:
        _show_dry_run("sent back", named, selection, as_json=as_json)
    else:
        _redrive(environment, named, order, reason, as_json=as_json)


@app.command("export")
@reported
def export_command(
    queue: Queue,
    *,
    to: To = None,
    message_id: MessageIds = None,
    error: ErrorPart = "",
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    replay_id: ReplayId = "",
    limit: Limit = None,
    dry_run: DryRun = False,
    reason: Reason = "",
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Write messages down as NDJSON: bodies, attributes, ids, errors. They stay where they are."""
    selection = _selection(message_id, error, (older_than, newer_than), replay_id, limit)
    environment = target.load()
    (found,) = chosen(dead_letters(environment), [queue], everything=False)
    if dry_run:
        _show_dry_run("exported", [found], selection, as_json=as_json)
        return
    sink = sink_for(to, found.name, datetime.now(UTC), environment)
    with audited_work(environment, "export", found, selection, reason, to=sink.place) as tally:
        with bar("Exporting", found, quiet=as_json) as tell, handled("export dead letters"):
            number = found.leaving.export(selection, sink, tell)
        tally.add("exported", number)
    _show_left(found, "exported", number, sink.place, as_json=as_json)


@app.command("purge")
@reported
def purge_command(
    queue: Queue,
    *,
    confirm: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Full name of the dead-letter queue, for scripts."),
    ] = None,
    to: To = None,
    message_id: MessageIds = None,
    error: ErrorPart = "",
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    replay_id: ReplayId = "",
    limit: Limit = None,
    dry_run: DryRun = False,
    reason: Reason = "",
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Delete messages for good, each once it is exported. Wants the queue's full name typed.

    The events themselves stay stored; what is lost is that a stage would still work on them.
    """
    selection = _selection(message_id, error, (older_than, newer_than), replay_id, limit)
    environment = target.load()
    (found,) = chosen(dead_letters(environment), [queue], everything=False)
    if dry_run:
        _show_dry_run("exported and deleted", [found], selection, as_json=as_json)
        return
    confirm_name(found, confirm, as_json=as_json)
    sink = sink_for(to, found.name, datetime.now(UTC), environment)
    with audited_work(environment, "purge", found, selection, reason, to=sink.place) as tally:
        with bar("Purging", found, quiet=as_json) as tell, handled("purge dead letters"):
            number = found.leaving.purge(selection, sink, tell)
        tally.add("purged", number)
    _show_left(found, "exported and deleted", number, sink.place, as_json=as_json)


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


def _show_dry_run(
    verb: str, queues: list[QueueLetters], selection: Selection, *, as_json: bool
) -> None:
    with handled("look at the dead letters"):
        looked = [(queue, queue.looking.look(selection, _EVERY_WINDOW)) for queue in queues]
    if as_json:
        print_json([look_fields(queue, look) | {"dry_run": True} for queue, look in looked])
    else:
        dlq_tables.show_dry_run(verb, looked)


def _show_left(queue: QueueLetters, verb: str, number: int, place: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"queue": queue.key, "messages": number, "to": place if number else None})
        return
    where = f" to {place}" if number else ""
    render.out().print(f"{queue.key}: {number:,} messages {verb}{where}", markup=False)


def _selection(
    message_ids: list[str] | None,
    error: str,
    ages: tuple[str | None, str | None],
    replay_id: str,
    limit: int | None,
) -> Selection:
    older_than, newer_than = ages
    return Selection(
        message_ids=frozenset(message_ids or ()),
        error=error,
        older_than=parse_age(older_than, "--older-than"),
        newer_than=parse_age(newer_than, "--newer-than"),
        replay_id=replay_id,
        limit=limit,
    )


def _end(*, left: bool) -> None:
    if left:
        raise typer.Exit(int(ExitCode.UNACCOUNTED))
