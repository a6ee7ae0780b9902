"""`millrace audit`: what people did by hand."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from millrace.audit import AuditEntry
from millrace.times import format_ms
from millrace_cli import render
from millrace_cli.aggregates import parse_instant
from millrace_cli.aws import explained
from millrace_cli.operators import audit_log
from millrace_cli.options import AsJson, Target
from millrace_cli.reporting import print_ndjson, reported

_DAYS = 7


@reported
def audit_command(
    *,
    start: Annotated[str | None, typer.Option("--from", help="First instant; 7 days ago.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Entries before this; now.")] = None,
    operation: Annotated[
        str, typer.Option(help="Operations whose name begins so: dlq, or dlq.redrive.")
    ] = "",
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Show who redrove, repaired, recovered or purged what, when, why, and what came of it.

    One that began and never ended was killed: run it again, all of them can be.
    What was done to a replay, `replay status` shows.
    """
    now = datetime.now(UTC)
    first = parse_instant(start, "--from") if start else now - timedelta(days=_DAYS)
    behind = parse_instant(end, "--to") if end else now + timedelta(minutes=1)
    log = audit_log(target.load())
    with explained("read the audit"):
        entries = [
            each for each in log.entries(first, behind) if each.operation.name.startswith(operation)
        ]
    if as_json:
        print_ndjson(map(_fields_of, entries))
    else:
        _show(entries)


def _fields_of(entry: AuditEntry) -> dict[str, Any]:
    operation = entry.operation
    return {
        "at": format_ms(entry.at),
        "operation_id": entry.operation_id,
        "phase": entry.phase.value,
        "operation": operation.name,
        "subject": operation.subject,
        "who": operation.who,
        "reason": operation.reason,
        "details": dict(operation.details),
        "counts": dict(entry.counts),
        "result": entry.result,
    }


def _show(entries: Sequence[AuditEntry]) -> None:
    if not entries:
        render.out().print("nothing was done by hand in that time")
        return
    for entry in entries:
        render.out().print("\n".join(_lines_of(entry)), markup=False, soft_wrap=True)


def _lines_of(entry: AuditEntry) -> Iterator[str]:
    """Yield lines, as a subject alone can be as long as a terminal is wide."""
    operation = entry.operation
    yield f"{format_ms(entry.at)}  {operation.name}  {entry.phase.value}  by {operation.who}"
    yield f"  {operation.subject}"
    if operation.reason:
        yield f"  because: {operation.reason}"
    counts = ", ".join(f"{number:,} {name}" for name, number in entry.counts.items())
    if came := "; ".join(filter(None, (counts, entry.result))):
        yield f"  {came}"
