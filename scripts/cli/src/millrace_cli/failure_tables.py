"""Discarded batches as people see them."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from millrace.discarded.batch import State
from millrace.discarded.deadline import Source
from millrace.discarded.request import DiscardedAnswer
from millrace.times import format_ms
from millrace_cli import render
from millrace_cli.failure_repair import Repair
from millrace_cli.failures import Failure

_ALARMING = timedelta(hours=6)


def spoken(left: timedelta) -> str:
    """Return a time that is left in its two largest units."""
    minutes = int(left.total_seconds()) // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def show_failures(failures: Sequence[Failure], now: datetime) -> None:
    """Print batches, what is most urgent first, and what to do."""
    console = render.out()
    if not failures:
        console.print("no discarded batches", style="green")
        return
    table = Table()
    for column in ("id", "state", "left", "from", "shard", "records", "first arrival", "why"):
        table.add_column(column, overflow="fold", no_wrap=column in ("id", "left"))
    for each in failures:
        batch = each.batch
        why = batch.condition + (f", {batch.error}" if batch.error else "")
        table.add_row(
            batch.batch_id, each.state, _left(each, now), each.deadline.source.value,
            batch.shard.shard_id, f"{batch.records:,}", format_ms(batch.first_arrival),
            escape(f"{why} after {batch.attempts}"),
        )  # fmt: skip
    console.print(table)
    _show_advice(failures, now)


def _left(failure: Failure, now: datetime) -> str:
    if failure.batch.state is not State.OPEN:
        return ""
    if failure.deadline.source is Source.NOWHERE:
        return "[bold red]none[/]"
    left = failure.left(now)
    text = spoken(left)
    return f"[bold red]{text}[/]" if left < _ALARMING else text


def _show_advice(failures: Sequence[Failure], now: datetime) -> None:
    console = render.out()
    still_open = [each for each in failures if each.batch.state is State.OPEN]
    saved = [each for each in still_open if each.deadline.source is not Source.NOWHERE]
    if saved:
        first = saved[0]
        urgent = first.left(now) < _ALARMING
        console.print(
            f"{'REPAIR NOW: ' if urgent else ''}{first.batch.batch_id} can be repaired for "
            f"{spoken(first.left(now))} more; repair all with: millrace failures repair --all",
            style="bold red" if urgent else "yellow",
            markup=False,
        )
    if len(saved) < len(still_open):
        console.print(
            f"{len(still_open) - len(saved)} expired: their records are nowhere any more; "
            "millrace failures abandon ID lets producers send them again",
            style="bold red",
            markup=False,
        )


def show_failure(failure: Failure, answer: DiscardedAnswer, now: datetime) -> None:
    """Print one batch with what can be had of it."""
    batch = failure.batch
    facts = Table(box=None, show_header=False, pad_edge=False)
    for name, value in (
        ("batch", f"{batch.batch_id}, {failure.state}"),
        ("range", f"{batch.shard.shard_id} {batch.range.first} to {batch.range.last}"),
        ("arrived", f"{format_ms(batch.first_arrival)} to {format_ms(batch.last_arrival)}"),
        ("given up", f"{format_ms(batch.discarded_at)}: {batch.condition} {batch.error}".rstrip()),
        ("attempts", f"{batch.attempts}, the last one {batch.request_id or 'unknown'}"),
        ("records", f"{batch.records:,}, {answer.missing:,} missing"),
        ("had from", f"{answer.source or 'nowhere'}: {answer.records:,}"),
        ("in commits", f"{answer.covered:,}"),
        ("abandoned", f"{answer.abandoned:,}"),
        ("to repair", f"{answer.to_commit:,}"),
        ("left", spoken(failure.left(now)) if batch.state is State.OPEN else "closed"),
    ):  # fmt: skip
        facts.add_row(name, escape(value))
    if batch.closing is not None:
        closing = batch.closing
        text = f"{format_ms(closing.at)} {closing.who} {closing.reason}".rstrip()
        facts.add_row(batch.state.value, escape(text))
    console = render.out()
    console.print(facts)
    if answer.shown:
        _show_records(answer)


def _show_records(answer: DiscardedAnswer) -> None:
    table = Table()
    for column in ("sequence", "position", "verdict", "data"):
        table.add_column(column, overflow="fold")
    for record in answer.shown:
        for part in record["parts"]:
            table.add_row(
                f"...{record['sequence'][-8:]}", str(part["position"]),
                part["rejected"] or "event", escape(part["data"]),
            )  # fmt: skip
    render.out().print(table)


@contextmanager
def repair_progress(total: int, *, quiet: bool) -> Generator[Callable[[int, Repair], None]]:
    """Show batches done and the records of the one at work, if standard error is a terminal."""
    console = render.err()
    if quiet or not console.is_terminal:
        yield lambda _done, _repair: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Repairing", total=total)

        def show(done: int, repair: Repair) -> None:
            batch = repair.failure.batch
            text = f"Repairing {batch.batch_id}: {repair.committed:,} of {batch.records:,} records"
            bar.update(task, completed=done, description=text)

        yield show


def show_repairs(repairs: Sequence[Repair]) -> None:
    """Print what came of each batch."""
    table = Table()
    for column in ("id", "records", "committed", "accepted", "duplicates", "quarantined", "result"):
        table.add_column(column, overflow="fold", no_wrap=column == "id")
    for each in repairs:
        table.add_row(
            each.failure.batch.batch_id, f"{each.failure.batch.records:,}",
            f"{each.committed:,}", f"{each.accepted:,}", f"{each.duplicates:,}",
            f"{each.quarantined:,}", escape(each.problem or "repaired"),
        )  # fmt: skip
    render.out().print(table)


def show_previews(previews: Sequence[tuple[Failure, DiscardedAnswer]]) -> None:
    """Print what a repair would do."""
    table = Table()
    for column in ("id", "from", "covered", "to commit", "events", "rejects", "missing", "refused"):
        table.add_column(column, overflow="fold", no_wrap=column == "id")
    for failure, answer in previews:
        table.add_row(
            failure.batch.batch_id, answer.source, f"{answer.covered:,}", f"{answer.to_commit:,}",
            f"{answer.accepted:,}", f"{answer.quarantined:,}", f"{answer.missing:,}",
            escape(answer.refused),
        )  # fmt: skip
    render.out().print(table)
    render.out().print("nothing was changed; whether an event is a duplicate, the gate will say")


def show_meaning(failure: Failure, ranges: int) -> None:
    """Say what abandoning a batch means, before it is done."""
    batch = failure.batch
    render.err().print(
        f"Abandoning {batch.batch_id}: {batch.records:,} records of {batch.shard.shard_id}, "
        f"arrived {format_ms(batch.first_arrival)} to {format_ms(batch.last_arrival)}; "
        f"{ranges} range(s) of it are in no commit.\n"
        "- They are never repaired later, even if their records turn up.\n"
        "- Their events count as new when producers send them again, and only then.\n"
        "- Copies that came before now were counted as their duplicates and stay so.",
        markup=False,
    )
