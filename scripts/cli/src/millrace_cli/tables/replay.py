"""Plans, replays and differences as people see them.

People copy ids and scopes from here into the next command: those stand whole on a line of their own
or in a column that never folds, also in a terminal of 80 columns.
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from millrace.aws.aggregates import scope_key
from millrace.replay.difference import Comparison, Verdict
from millrace.replay.diffing import verdicts
from millrace.replay.dry_run import WouldBe
from millrace.replay.operations import ReplayStatus
from millrace.replay.plan import Plan
from millrace.replay.progress import SkippedEvent
from millrace.replay.promotion import Outcome, OutcomeKind
from millrace.replay.record import AuditEntry, Replay, ReplayState
from millrace.times import format_ms
from millrace_cli import render

_SKIPPED_SHOWN = 20
_INDENT = "  "
_COLUMNS = ("window", "metric", "live", "replayed", "why")
_FOLDED = 20
"""Narrower than this no column of words becomes."""


def _folding(*columns: str, whole: Collection[str] = ()) -> Table:
    """Return a table that folds what is long but the columns that must stay whole."""
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in whole)
    return table


def _facts(rows: Iterable[tuple[str, str]]) -> Table:
    """Return names and values, one a line."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, escape(value))
    return table


def _line(console: Console, text: str, style: str | None = None) -> None:
    """Print a line as it is: nothing in it is markup, and it is not folded."""
    console.print(text, markup=False, soft_wrap=True, style=style)


def show_plan(plan: Plan, *, next_step: bool = True) -> None:
    """Print what a plan selects, what will be whole, and what it takes."""
    console = render.out()
    first = format_ms(plan.first_event) if plan.first_event else "none"
    last = format_ms(plan.last_event) if plan.last_event else "none"
    takes = f"{plan.estimate.seconds:,.1f} s at {plan.rate:,}/s, about ${plan.estimate.usd:,.4f}"
    console.print(
        _facts(
            [
                ("plan", plan.plan_id),
                ("hash", plan.plan_hash),
                ("window", f"{format_ms(plan.selection.start)} to {format_ms(plan.selection.end)}"),
                ("events", f"{plan.events:,}, of which {plan.duplicates:,} duplicates"),
                ("first, last", f"{first}, {last}"),
                ("messages", f"{plan.messages:,} out of {plan.objects:,} objects"),
                ("takes", takes),
            ]
        )
    )  # fmt: skip
    _show_coverage(console, plan)
    if not plan.events:
        _line(console, "nothing is selected: `millrace events` says what there is", "yellow")
    elif next_step:
        _line(console, f"start it with: millrace replay apply {plan.plan_id}")


def _show_coverage(console: Console, plan: Plan) -> None:
    for each in plan.coverage["windows"]:
        partial = f"; partial: {', '.join(each['partial'])}" if each["partial"] else ""
        _line(console, f"{each['width']}s: {each['whole']} whole{partial}")
    table = _folding("metric", "by", "whole for", "live")
    for each in plan.coverage["metrics"]:
        table.add_row(
            each["metric"], each["dimension"], escape(each["whole_scopes"]),
            "yes" if each["live"] else "no: no live value",
        )  # fmt: skip
    console.print(table)


def show_replays(replays: Sequence[Replay]) -> None:
    """Print replays, one a line; an id begins with the replay's version."""
    table = _folding("replay", "state", "sent", "started", "why", whole={"replay"})
    for each in replays:
        table.add_row(
            each.replay_id, _state(each), f"{each.cursor.sent:,} of {each.messages:,}",
            f"{each.started_at:%Y-%m-%d %H:%M} {escape(each.started_by)}", escape(each.reason),
        )  # fmt: skip
    render.out().print(table)


def _state(replay: Replay) -> str:
    return replay.state.value + (" (dry run)" if replay.dry_run else "")


def show_replay(replay: Replay) -> None:
    """Print one replay."""
    slowed = f", now {replay.current_rate:,.0f}/s" if replay.current_rate < replay.rate else ""
    rows = [
        ("replay", replay.replay_id),
        ("plan", replay.plan_id),
        ("version", replay.version),
        ("state", _state(replay)),
        ("sent", f"{replay.cursor.sent:,} of {replay.messages:,} at {replay.rate:,}/s{slowed}"),
        ("started", f"{format_ms(replay.started_at)} by {replay.started_by}"),
        ("why", replay.reason or "-"),
    ]
    render.out().print(_facts(rows))


def show_started(replay: Replay) -> None:
    """Print a replay that was started, and how to follow it."""
    show_replay(replay)
    _line(render.out(), f"follow it with: millrace replay wait {replay.replay_id}")


def show_status(status: ReplayStatus) -> None:
    """Print how far a replay has come."""
    console, progress = render.out(), status.progress
    show_replay(status.replay)
    if status.replay.slowed_because:
        _line(console, f"slowed: {status.replay.slowed_because}", "yellow")
    if status.replay.failed_because:
        _line(console, f"failed: {status.replay.failed_because}", "red")
    _line(
        console,
        f"{progress.enriched:,} enriched, {progress.counted:,} counted, "
        f"{progress.skipped:,} skipped of {status.replay.messages:,}",
    )
    if status.replay.dry_run and status.replay.state is ReplayState.COMPLETED:
        report = f"millrace replay report {status.replay.replay_id}"
        _line(console, f"what it would have written: {report}")
    _show_skipped(console, status.skipped)
    _show_audit(console, status.audit)


def _show_skipped(console: Console, skipped: Sequence[SkippedEvent]) -> None:
    for each in skipped[:_SKIPPED_SHOWN]:
        _line(console, f"skipped {each.event_id or '(no id)'}: {each.reason}", "yellow")
        _line(console, f"{_INDENT}{each.detail}")
        _line(console, f"{_INDENT}{each.place}")
    if len(skipped) > _SKIPPED_SHOWN:
        _line(console, f"and {len(skipped) - _SKIPPED_SHOWN:,} more: --json lists them")


def _show_audit(console: Console, audit: Iterable[AuditEntry]) -> None:
    table = _folding("when", "who", "what", "why", "result", whole={"when"})
    for entry in audit:
        table.add_row(
            f"{entry.at:%Y-%m-%d %H:%M:%S}", escape(entry.who), entry.action.value,
            escape(entry.reason), escape(entry.result),
        )  # fmt: skip
    console.print(table)


def show_diff(comparisons: Sequence[Comparison], shown: Sequence[Comparison]) -> None:
    """Print the rows of a comparison, scope by scope, and how many there were of each verdict."""
    console = render.out()
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *map(_cells, shown), strict=True)]
    header = True
    for scope, rows in groupby(shown, key=lambda each: scope_key(each.key.scope)):
        _line(console, scope, "bold")
        _show_scope(console, list(rows), widths, header=header)
        header = False
    for pair in dict.fromkeys(_definitions(each) for each in shown if _is_logic(each)):
        _line(console, "logic: live counted by definitions {}, the replay by {}".format(*pair))
    counts = verdicts(comparisons)
    found = [f"{count:,} {verdict.value}" for verdict, count in counts.items() if count]
    _line(console, ", ".join(found) or "no rows: the replay has counted nothing")


def _show_scope(
    console: Console, rows: Sequence[Comparison], widths: Sequence[int], *, header: bool
) -> None:
    table = Table(box=None, show_header=header, header_style="dim", pad_edge=False)
    table.add_column(width=len(_INDENT) - 1)
    for name, width in zip(_COLUMNS, widths, strict=True):
        whole = name not in {"metric", "why"}
        table.add_column(
            name, min_width=width if whole else min(width, _FOLDED), overflow="fold",
            no_wrap=whole, justify="right" if name in {"live", "replayed"} else "left",
        )  # fmt: skip
    for each in rows:
        table.add_row("", *map(escape, _cells(each)))
    console.print(table, soft_wrap=False)
    for each in rows:
        if each.only_live:
            _line(console, f"{_INDENT} only in live: {', '.join(each.only_live)}")


def _cells(each: Comparison) -> tuple[str, str, str, str, str]:
    """Return what `_COLUMNS` names."""
    live = f"{each.live.value:,}" if each.live else "-"
    replayed = f"{each.replayed.value:,}" if each.replayed else "-"
    why = each.verdict.value
    if each.more_in_live and each.verdict is not Verdict.PARTIAL:
        more, where = abs(each.more_in_live), "live" if each.more_in_live > 0 else "the replay"
        why = f"{why}: {more:,} more in {where}"
    return each.key.window.label.partition("#")[2], each.key.metric, live, replayed, why


def _is_logic(each: Comparison) -> bool:
    return each.verdict is Verdict.LOGIC and each.live is not None and each.replayed is not None


def _definitions(each: Comparison) -> tuple[str, str]:
    sides = each.live, each.replayed
    live, replayed = (side.defs_version if side else "none" for side in sides)
    return live, replayed


def show_would_be(rows: Sequence[WouldBe]) -> None:
    """Print the rows that a dry run would have written, scope by scope."""
    console = render.out()
    for scope, mine in groupby(rows, key=lambda each: scope_key(each.key.scope)):
        _line(console, scope, "bold")
        for each in mine:
            window = each.key.window.label.partition("#")[2]
            counted = f"{each.delta.value:,} of {each.delta.event_count:,} events"
            _line(console, f"{_INDENT} {window}  {each.key.metric}  {counted}")
    _line(console, f"{len(rows):,} rows would have been written; none was")


def show_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Print what becomes of the rows of a promotion, scope by scope; not what stays the same."""
    console = render.out()
    changing = [
        each
        for each in outcomes
        if each.kind is not OutcomeKind.SKIPPED or each.before != each.after
    ]
    for scope, rows in groupby(changing, key=lambda each: scope_key(each.key.scope)):
        _line(console, scope, "bold")
        for each in rows:
            window = each.key.window.label.partition("#")[2]
            change = f"{each.before.value:,} to {each.after.value:,}"
            said = f"{window}  {each.key.metric}  {change}  {each.kind.value}  {each.why}"
            _line(console, f"{_INDENT} {said}".rstrip())
    counts = {kind: sum(each.kind is kind for each in outcomes) for kind in OutcomeKind}
    found = [f"{count:,} {kind.value}" for kind, count in counts.items() if count]
    _line(console, "rows: " + (", ".join(found) or "none"))
