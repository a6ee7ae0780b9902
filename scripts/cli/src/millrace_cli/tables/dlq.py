"""Dead letters as people see them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from rich.markup import escape
from rich.table import Table

from millrace.dlq.canary import Verdict
from millrace.dlq.looking import Look, Seen
from millrace.dlq.redrive import Redriven
from millrace.times import format_ms
from millrace_cli import render
from millrace_cli.dlq import QueueLetters

Looked = Sequence[tuple[QueueLetters, Look]]


def _table(*columns: str, numbers: Sequence[str] = (), whole: Sequence[str] = ()) -> Table:
    table = Table()
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in numbers else "left",
            overflow="fold",
            no_wrap=column in (*numbers, *whole),
        )
    return table


def show_queues(looked: Looked) -> None:
    """Print how many dead letters there are, since when, and why."""
    now = datetime.now(UTC)
    depths = _table(
        "queue", "dead letters", "held", "oldest sent", "gone in",
        numbers=("dead letters", "held", "oldest sent", "gone in"), whole=("queue",),
    )  # fmt: skip
    for queue, look in looked:
        oldest = look.oldest
        depths.add_row(
            queue.key, f"{look.depth.total:,}", f"{look.depth.held:,}",
            f"{span(now - oldest)} ago" if oldest else "-",
            span(oldest + look.depth.retention - now) if oldest else "-",
        )  # fmt: skip
    console = render.out()
    console.print(depths)
    _show_groups(looked)
    for queue, look in looked:
        if look.depth.visible > len(look.seen) > 0:
            console.print(
                f"{queue.key}: {len(look.seen):,} of {look.depth.total:,} were looked at",
                markup=False,
            )


def _show_groups(looked: Looked) -> None:
    groups = _table("queue", "messages", "error", numbers=("messages",), whole=("queue",))
    for queue, look in looked:
        for each in look.groups:
            groups.add_row(queue.key, f"{each.messages:,}", escape(each.label))
    if groups.row_count:
        render.out().print(groups)


def show_letters(queue: QueueLetters, look: Look) -> None:
    """Print messages one by one, in lines: ids and errors are long, and are copied from here."""
    console = render.out()
    for each in look.seen:
        letter = each.letter
        sent = f"sent {format_ms(letter.sent_at)}, received {letter.receives} times"
        console.print(f"{letter.message_id}  {sent}", markup=False, style="bold")
        console.print(f"  {_what(each)}\n  {_why(each)}", markup=False)
    console.print(
        f"{len(look.seen):,} of {look.depth.total:,} in {queue.name}; --json shows bodies",
        markup=False,
    )


def _what(seen: Seen) -> str:
    about = seen.letter.about
    named = about.get("event_id") or about.get("commit_id") or about.get("replay_id")
    return named or f"{seen.letter.body[:80]!r}"


def _why(seen: Seen) -> str:
    note = seen.note
    if note is None or not note.error:
        return seen.label
    return f"{format_ms(note.at)} {note.error}: {note.detail} (request {note.request_id})"


def show_dry_run(verb: str, looked: Looked) -> None:
    """Print what would be sent back or deleted, by error."""
    _show_groups(looked)
    total = sum(len(look.seen) for _, look in looked)
    render.out().print(f"{total:,} messages would be {verb}; nothing was", markup=False)


def show_redriven(queue: QueueLetters, done: Redriven) -> None:
    """Print what a redrive did, what is left, and what to do about that."""
    console = render.out()
    console.print(f"{queue.key}: {done.sent:,} messages sent back", markup=False)
    for label, verdict in done.verdicts.items():
        if verdict is not Verdict.WORKS:
            console.print(
                f"{verdict.value}: {escape(label)} (left where they are: {done.kept[label]:,})",
                style="red",
            )
    for number, what in (
        (done.failed_canaries, "failed canaries, back here (`dlq list`) after some minutes"),
        (done.undeleted, "sent back, but not deleted; the next redrive sends them once more"),
        (done.newer, "arrived meanwhile and left alone; run it again"),
    ):
        if number:
            console.print(f"{what}: {number:,}", markup=False)
    if Verdict.NO_NEWS in done.verdicts.values():
        console.print(
            "no news: is the function's mapping on? A longer --wait helps where a queue is long.",
            markup=False,
        )
    if done.ended_early:
        console.print("ended early (--limit): run it again for the rest", markup=False)


def span(time: timedelta) -> str:
    """Return a time as people say it: `3 h 12 min`."""
    minutes = int(time.total_seconds()) // 60
    if minutes < 1:
        return f"{max(0, int(time.total_seconds()))} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"
