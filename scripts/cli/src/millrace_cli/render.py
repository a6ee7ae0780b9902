"""What people see: tables on standard output, progress on standard error."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import orjson
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from millrace_cli import sending
from millrace_cli.archive import ArchiveObject
from millrace_cli.export import ExportedHour, ExportReport
from millrace_cli.loading import Change, Loaded
from millrace_cli.preview import Preview
from millrace_cli.put import PutSummary
from millrace_cli.status import Gap, StageCounts, Status

if TYPE_CHECKING:
    from rich.status import Status as Spinner

STAGES = ("received", "accepted", "duplicates", "conflicts", "quarantined", "enriched",
          "aggregated", "archived")  # fmt: skip
"""What is counted of each stage, in the order of the pipeline."""


def out() -> Console:
    """Return the console for results; made late, so that a test can capture it."""
    return Console(highlight=False, soft_wrap=True)


def err() -> Console:
    """Return the console for progress and errors."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def put_progress(
    total: int | None, progress: sending.Progress, *, quiet: bool = False
) -> Generator[None]:
    """Show a bar on standard error while a put runs, if that is a terminal."""
    with counting_bar("Sending", total, quiet=quiet) as show:
        progress.listeners.append(lambda now: show(now.sent))
        yield


@contextmanager
def counting_bar(
    what: str, total: int | None, *, quiet: bool = False
) -> Generator[Callable[[int], None]]:
    """Show a bar on standard error, if that is a terminal; yield how to say how far it is."""
    console = err()
    if quiet or not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def export_progress(
    total: int, *, quiet: bool = False
) -> Generator[Callable[[int, ExportedHour], None]]:
    """Show hours done and the files of the one at work, if standard error is a terminal."""
    console = err()
    if quiet or not console.is_terminal:
        yield lambda _done, _hour: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Exporting", total=total)

        def show(done: int, hour: ExportedHour) -> None:
            text = f"Exporting {hour.hour}: {hour.files_written:,} files, {hour.events:,} events"
            bar.update(task, completed=done, description=text)

        yield show


@contextmanager
def working(text: str) -> Generator[None]:
    """Show on standard error that something takes its time, if that is a terminal."""
    console = err()
    if not console.is_terminal:
        yield
        return
    with console.status(text):
        yield


class TerminalReporter:
    """`millrace_cli.run.Reporter` on standard error: live in a terminal, plain lines else."""

    def __init__(self) -> None:
        self._console = err()
        self._spinner: Spinner | None = None

    def __enter__(self) -> "TerminalReporter":
        """Begin to show."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take the live line away."""
        if self._spinner:
            self._spinner.stop()

    def step(self, text: str) -> None:
        """Begin a step."""
        self._console.print(f"[bold]>[/bold] {text}")
        if self._console.is_terminal:
            self._live(text)

    def deploying(self, done: int, total: int) -> None:
        """Show how far Terraform has come."""
        self._live(f"{done} of {total} resources")

    def settling(self, status: Status, baseline: StageCounts, sent: int) -> None:
        """Show one reading while waiting."""
        now = status.totals - baseline
        self._live(
            f"received {now.received:,} of {sent:,}, archived {now.archived:,}, "
            f"aggregated {now.aggregated:,}; {status.totals.unfinished_commits} commits "
            f"unfinished, {status.queued} messages queued"
        )

    def pause(self) -> None:
        """Take the live line away while something else draws."""
        if self._spinner:
            self._spinner.stop()
            self._spinner = None

    def _live(self, text: str) -> None:
        if not self._console.is_terminal:
            return
        if self._spinner is None:
            self._spinner = self._console.status(text)
            self._spinner.start()
        self._spinner.update(text)


def show_put(summary: PutSummary) -> None:
    """Print what a put did."""
    rate = summary.sent / summary.seconds if summary.seconds else 0
    out().print(
        f"{summary.sent:,} events sent in {summary.seconds:.1f} s ({rate:,.0f}/s): "
        f"{summary.bytes:,} bytes, {summary.batches:,} batches, {summary.retried:,} retried, "
        f"{summary.skipped:,} skipped"
    )


def show_preview(preview: Preview) -> None:
    """Print the first events that would be sent, and what would be rejected and why."""
    console = out()
    for shown in preview.first_events:
        console.print(
            f"row {shown.number}: event_id {shown.event_id}, event_time {shown.event_time}, "
            f"partition key {shown.partition_key}",
            markup=False,
        )
        console.print_json(orjson.dumps(shown.event).decode(), indent=None)
    for rejection in preview.first_rejections:
        console.print(
            f"row {rejection.number}: would be rejected, {rejection.reason}: {rejection.message}",
            markup=False,
        )
    if preview.rejected:
        show_reasons(console, "Would be quarantined, by reason", preview.rejected)
    console.print(
        f"{preview.records:,} records, {preview.bytes:,} bytes: {preview.valid:,} valid "
        f"({preview.repeated:,} of them repeat an earlier one), "
        f"{preview.rejected.total():,} would be rejected; nothing was sent"
    )


def show_loaded(loaded: Loaded) -> None:
    """Print what a load did."""
    rate = loaded.rows / loaded.seconds if loaded.seconds else 0
    changes = ", ".join(f"{loaded.changes[change]:,} {change.value}" for change in Change)
    out().print(f"{loaded.rows:,} rows stored in {loaded.seconds:.1f} s ({rate:,.0f}/s): {changes}")


def show_status(status: Status, title: str) -> None:
    """Print the counts of the stages, under a title, the queues and the shards."""
    console = out()
    counts = Table(title=title, title_justify="left")
    counts.add_column("stage")
    counts.add_column("events", justify="right")
    for name in STAGES:
        counts.add_row(name, f"{getattr(status.totals, name):,}")
    console.print(counts)
    queues = Table(title="Queues", title_justify="left")
    for column in ("queue", "waiting", "in flight", "dead letters"):
        queues.add_column(column, justify="left" if column == "queue" else "right")
    dead = {queue.name: queue.total for queue in status.dlqs}
    for queue in status.queues:
        queues.add_row(
            queue.name, f"{queue.visible:,}", f"{queue.in_flight:,}", f"{dead.get(queue.name, 0):,}"
        )
    console.print(queues)
    shards = Table(title="Shards", title_justify="left")
    for column in ("shard", "received", "committed up to", "state"):
        shards.add_column(column, justify="right" if column == "received" else "left")
    for shard in status.shards:
        state = "more to read" if shard.waiting else "read to the end"
        shards.add_row(
            shard.shard_id,
            f"{shard.counts.received:,}",
            str(shard.committed_seq) if shard.committed_seq >= 0 else "nothing yet",
            f"blocked: {shard.blocked}" if shard.blocked else state,
        )
    console.print(shards)
    console.print(
        f"{status.totals.commits:,} commits, {status.unfinished_commits:,} unfinished; "
        f"{status.pending_references:,} references pending"
    )


def show_gaps(console: Console, gaps: Sequence[Gap]) -> None:
    """Print what is unaccounted for, or that nothing is."""
    if not gaps:
        console.print("[green]Everything is accounted for.[/green]")
    for gap in gaps:
        console.print(f"[red]unaccounted for:[/red] {escape(str(gap))}")


def show_export(report: ExportReport) -> None:
    """Print what became of each hour that has clients."""
    table = Table()
    for column in ("hour", "status", "clients", "files written", "events written"):
        table.add_column(column, justify="left" if column in {"hour", "status"} else "right")
    for hour in report.hours:
        if hour.clients or hour.error:
            table.add_row(
                hour.hour,
                escape(hour.error or hour.status),
                f"{hour.clients:,}",
                f"{hour.files_written:,}",
                f"{hour.events:,}",
            )
    console = out()
    if table.row_count:
        console.print(table)
    empty = len(report.hours) - table.row_count
    console.print(f"{len(report.hours):,} hours, {empty:,} of them without events")


def show_archive(objects: Sequence[ArchiveObject]) -> None:
    """Print the archive objects and their sums."""
    table = Table()
    for column in ("hour", "events", "bytes", "object"):
        table.add_column(column, justify="right" if column in {"events", "bytes"} else "left",
                         overflow="fold")  # fmt: skip
    for each in objects:
        table.add_row(each.hour, f"{each.events:,}", f"{each.bytes:,}", each.object_key)
    console = out()
    if objects:
        console.print(table)
    console.print(
        f"{len(objects):,} objects, {sum(each.events for each in objects):,} events, "
        f"{sum(each.bytes for each in objects):,} bytes"
    )


def show_reasons(console: Console, title: str, reasons: Mapping[str, int]) -> None:
    """Print how many records were rejected for each reason."""
    table = Table(title=title, title_justify="left")
    table.add_column("reason")
    table.add_column("records", justify="right")
    for reason, count in reasons.items():
        table.add_row(reason, f"{count:,}")
    console.print(table)
