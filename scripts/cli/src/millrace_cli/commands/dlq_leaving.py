"""`millrace dlq export` and `purge`: messages are written down, and deleted if that is meant."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from millrace.dlq.leaving import Leaving, Sink
from millrace.dlq.looking import Tell
from millrace.dlq.selection import Selection
from millrace_cli import render
from millrace_cli.dlq import QueueLetters, chosen, dead_letters, handled
from millrace_cli.dlq_files import sink_for
from millrace_cli.dlq_options import Letters, Limit, Queue
from millrace_cli.dlq_work import audited_work, bar, confirm_name, show_dry_run
from millrace_cli.options import Change
from millrace_cli.reporting import print_json, reported


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The options of both: where to, which messages, and those of every change."""

    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="FILE|s3://BUCKET/PREFIX", help="Where; by default a file here."
        ),
    ] = None
    letters: Letters
    limit: Limit = None
    change: Change


@dataclass(frozen=True, slots=True)
class _Way:
    """What is done, in the words of the audit and of people."""

    verb: str
    doing: str
    done: str
    counted: str
    run: Callable[[Leaving, Selection, Sink, Tell], int]


_EXPORT = _Way("export", "Exporting", "exported", "exported", Leaving.export)
_PURGE = _Way("purge", "Purging", "exported and deleted", "purged", Leaving.purge)


@reported
def export_command(queue: Queue, *, written: Written) -> None:
    """Write messages down as NDJSON: bodies, attributes, ids, errors. They stay where they are."""
    _carry_out(_EXPORT, queue, written, lambda _: None)


@reported
def purge_command(
    queue: Queue,
    *,
    confirm: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Full name of the dead-letter queue, for scripts."),
    ] = None,
    written: Written,
) -> None:
    """Delete messages for good, each once it is exported. Wants the queue's full name typed.

    The events themselves stay stored; what is lost is that a stage would still work on them.
    """
    as_json = written.change.as_json
    _carry_out(_PURGE, queue, written, lambda found: confirm_name(found, confirm, as_json=as_json))


def _carry_out(
    way: _Way, queue: str, written: Written, confirm: Callable[[QueueLetters], None]
) -> None:
    """Do it to a queue's messages once it is confirmed, or say what would be done."""
    change, selection = written.change, written.letters.selection(written.limit)
    environment = change.target.load()
    (found,) = chosen(dead_letters(environment), [queue], everything=False)
    if change.dry_run:
        show_dry_run(way.done, [found], selection, as_json=change.as_json)
        return
    confirm(found)
    sink = sink_for(written.to, found.name, datetime.now(UTC), environment)
    with audited_work(
        environment, way.verb, found, selection, change.reason, to=sink.place
    ) as tally:
        with (
            bar(way.doing, found, quiet=change.as_json) as tell,
            handled(f"{way.verb} dead letters"),
        ):
            number = way.run(found.leaving, selection, sink, tell)
        tally.add(way.counted, number)
    _show(found, way, number, sink.place, as_json=change.as_json)


def _show(queue: QueueLetters, way: _Way, number: int, place: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"queue": queue.key, "messages": number, "to": place if number else None})
        return
    where = f" to {place}" if number else ""
    render.out().print(f"{queue.key}: {number:,} messages {way.done}{where}", markup=False)
