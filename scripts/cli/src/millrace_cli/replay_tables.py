"""Plans, replays and differences as people see them."""

from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager

from rich.markup import escape
from rich.table import Table

from millrace.aws.aggregates import scope_key
from millrace.replay.difference import Comparison
from millrace.replay.diffing import verdicts
from millrace.replay.dry_run import WouldBe
from millrace.replay.operations import ReplayStatus
from millrace.replay.plan import Plan
from millrace.replay.promotion import Outcome, OutcomeKind
from millrace.replay.record import Replay, ReplayState
from millrace.times import format_ms
from millrace_cli import render

_SKIPPED_SHOWN = 20


def _folding(*columns: str, whole: Collection[str] = ()) -> Table:
    """Return a table that folds what is long: people copy ids from it into the next command."""
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in whole)
    return table


@contextmanager
def events_progress(begun: str, done: str, *, quiet: bool) -> Generator[Callable[[int], None]]:
    """Show how many events were `done` so far, on standard error."""
    if quiet:
        yield lambda _: None
        return
    with render.err().status(begun) as line:
        yield lambda events: line.update(f"{events:,} events {done}")


def show_plan(plan: Plan) -> None:
    """Print what a plan selects, what will be whole, and what it takes."""
    console = render.out()
    window = f"{format_ms(plan.selection.start)} to {format_ms(plan.selection.end)}"
    facts = Table(box=None, show_header=False, pad_edge=False)
    first = format_ms(plan.first_event) if plan.first_event else "none"
    last = format_ms(plan.last_event) if plan.last_event else "none"
    for name, value in (
        ("plan", f"{plan.plan_id} (hash {plan.plan_hash})"),
        ("window", window),
        ("events", f"{plan.events:,}, of which {plan.duplicates:,} duplicates"),
        ("first, last", f"{first}, {last}"),
        ("messages", f"{plan.messages:,} out of {plan.objects:,} objects"),
        ("at", f"{plan.rate:,}/s: {plan.estimate.seconds:,.1f} s, about ${plan.estimate.usd:,.4f}"),
    ):
        facts.add_row(name, escape(value))
    console.print(facts)
    for each in plan.coverage["windows"]:
        partial = f"; partial: {', '.join(each['partial'])}" if each["partial"] else ""
        console.print(f"{each['width']}s: {each['whole']} whole{partial}")
    table = Table("metric", "by", "whole for", "live")
    for each in plan.coverage["metrics"]:
        table.add_row(
            each["metric"], each["dimension"], escape(each["whole_scopes"]),
            "yes" if each["live"] else "no: diff finds no live value",
        )  # fmt: skip
    console.print(table)
    if not plan.events:
        console.print("nothing is selected: `millrace events` says what there is", style="yellow")
        return
    console.print(f"start it with: millrace replay apply {plan.plan_id}", markup=False)


def show_replays(replays: Sequence[Replay]) -> None:
    """Print replays, one a line."""
    table = _folding("replay", "state", "version", "sent", "rate", "by", "started", "why",
                     whole={"replay", "version"})  # fmt: skip
    for each in replays:
        rate = f"{each.current_rate:,.0f}/s" + (" (slowed)" if each.slowed_because else "")
        table.add_row(
            each.replay_id, each.state.value + (" (dry run)" if each.dry_run else ""), each.version,
            f"{each.cursor.sent:,} of {each.messages:,}", rate, escape(each.started_by),
            format_ms(each.started_at), escape(each.reason),
        )  # fmt: skip
    render.out().print(table)


def show_started(replay: Replay) -> None:
    """Print a replay that was started, and how to follow it."""
    show_replays([replay])
    render.out().print(f"follow it with: millrace replay status {replay.replay_id}", markup=False)


def show_status(status: ReplayStatus) -> None:
    """Print how far a replay has come."""
    console, progress = render.out(), status.progress
    show_replays([status.replay])
    if status.replay.slowed_because:
        console.print(f"slowed: {status.replay.slowed_because}", style="yellow", markup=False)
    if status.replay.failed_because:
        console.print(f"failed: {status.replay.failed_because}", style="red", markup=False)
    console.print(
        f"{progress.enriched:,} enriched, {progress.counted:,} counted, "
        f"{progress.skipped:,} skipped of {status.replay.messages:,}"
    )
    if status.replay.dry_run and status.replay.state is ReplayState.COMPLETED:
        report = f"millrace replay report {status.replay.replay_id}"
        console.print(f"what it would have written: {report}", markup=False)
    if status.skipped:
        table = _folding("skipped", "reason", "detail", "place")
        for each in status.skipped[:_SKIPPED_SHOWN]:
            table.add_row(*map(escape, (each.event_id, each.reason, each.detail, each.place)))
        console.print(table)
    audit = _folding("when", "who", "what", "why", "result", whole={"when"})
    for entry in status.audit:
        audit.add_row(
            format_ms(entry.at), escape(entry.who), entry.action.value, escape(entry.reason),
            escape(entry.result),
        )  # fmt: skip
    console.print(audit)


def show_diff(comparisons: Sequence[Comparison], shown: Sequence[Comparison]) -> None:
    """Print the rows of a comparison, and how many there were of each verdict."""
    console = render.out()
    table = _folding("scope", "window", "metric", "live", "replayed", "why", "events only in live")
    for each in shown:
        why = each.verdict.value
        if each.more_in_live:
            why = f"{why}: live has {each.more_in_live:+,} events"
        table.add_row(
            escape(scope_key(each.key.scope)), each.key.window.label, each.key.metric,
            str(each.live.value) if each.live else "-",
            str(each.replayed.value) if each.replayed else "-",
            why, escape(", ".join(each.only_live)),
        )  # fmt: skip
    if shown:
        console.print(table)
    counts = verdicts(comparisons)
    console.print(", ".join(f"{count:,} {verdict.value}" for verdict, count in counts.items()))


def show_would_be(rows: Sequence[WouldBe]) -> None:
    """Print the rows that a dry run would have written."""
    console = render.out()
    table = _folding("scope", "window", "metric", "value", "events")
    for each in rows:
        key = each.key
        table.add_row(
            escape(scope_key(key.scope)), key.window.label, key.metric, str(each.delta.value),
            f"{each.delta.event_count:,}",
        )  # fmt: skip
    if rows:
        console.print(table)
    console.print(f"{len(rows):,} rows would have been written; none was")


def show_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Print what becomes of the rows of a promotion, but for those that are the same in live."""
    console = render.out()
    table = _folding("scope", "window", "metric", "before", "after", "what", "why")
    for each in outcomes:
        if each.kind is OutcomeKind.SKIPPED and each.before == each.after:
            continue
        table.add_row(
            escape(scope_key(each.key.scope)), each.key.window.label, each.key.metric,
            str(each.before.value), str(each.after.value), each.kind.value, escape(each.why),
        )  # fmt: skip
    if table.row_count:
        console.print(table)
    counts = {kind: sum(each.kind is kind for each in outcomes) for kind in OutcomeKind}
    found = [f"{count:,} {kind.value}" for kind, count in counts.items() if count]
    console.print("rows: " + (", ".join(found) or "none"))


@contextmanager
def rows_progress(rows: int, *, quiet: bool) -> Generator[Callable[[int], None]]:
    """Show how many rows are through, on standard error."""
    if quiet:
        yield lambda _: None
        return
    with render.err().status(f"0 of {rows:,} rows") as line:
        yield lambda done: line.update(f"{done:,} of {rows:,} rows")
