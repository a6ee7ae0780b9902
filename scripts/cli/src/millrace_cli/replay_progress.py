"""How far planning and a replay are, on standard error."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from millrace_cli import render
from millrace_cli.replay_following import Reading


@contextmanager
def events_progress(begun: str, done: str, *, quiet: bool) -> Generator[Callable[[int], None]]:
    """Show how many events were `done` so far."""
    if quiet:
        yield lambda _: None
        return
    with render.err().status(begun) as line:
        yield lambda events: line.update(f"{events:,} events {done}")


@contextmanager
def following_bar(*, quiet: bool) -> Generator[Callable[[Reading], None]]:
    """Show how far a replay is, on standard error: a bar in a terminal, else remarks alone."""
    console = render.err()
    if quiet:
        yield lambda _: None
        return
    if not console.is_terminal:
        yield _remarks(console)
        return
    remark = TextColumn("{task.fields[remark]}", style="yellow")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn(), remark)  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Replaying", total=None, remark="")

        def show(reading: Reading) -> None:
            replay = reading.status.replay
            bar.update(
                task, completed=reading.done, total=replay.messages, remark=escape(reading.remark),
                description=f"{replay.state.value}, {replay.cursor.sent:,} sent",
            )  # fmt: skip

        yield show


def _remarks(console: Console) -> Callable[[Reading], None]:
    """Return what prints each new remark once, without its seconds that differ."""
    said = {""}

    def show(reading: Reading) -> None:
        kind = reading.remark.partition(":")[0].partition(" for ")[0]
        if kind not in said:
            said.add(kind)
            console.print(reading.remark, markup=False, style="yellow")

    return show


@contextmanager
def rows_progress(rows: int, *, quiet: bool) -> Generator[Callable[[int], None]]:
    """Show how many rows of a promotion are through."""
    if quiet:
        yield lambda _: None
        return
    with render.err().status(f"0 of {rows:,} rows") as line:
        yield lambda done: line.update(f"{done:,} of {rows:,} rows")
