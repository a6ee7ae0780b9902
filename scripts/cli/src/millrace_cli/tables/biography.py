"""An event's biography, and a record's, for a person."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from millrace.commit import Stage
from millrace.investigate.biography import Biography, CountedIn, Standing
from millrace.investigate.record import Quarantined, RecordBiography
from millrace.times import format_ms
from millrace_cli.tables.shapes import duration, folding, text

_COLOURS = {
    Standing.FOUND: "green", Standing.PENDING: "yellow", Standing.EXPIRED: "yellow",
    Standing.MISSING: "red", Standing.NONE: "dim", Standing.UNKNOWN: "yellow",
}  # fmt: skip


def show_biography(console: Console, told: Biography) -> None:
    """Print a life from the sender to the last replay."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(no_wrap=True, style="bold")
    facts.add_column(overflow="fold")
    for name, value in _facts(told):
        facts.add_row(name, value)
    console.print(facts)
    console.print_json(told.raw.decode(), indent=None)
    _show_copies(console, told)
    _show_counted(console, told.counted_in, told.counted_note)
    _show_replays(console, told)


def _facts(told: Biography) -> Iterable[tuple[str, str]]:
    event, first, head = told.event, told.first, told.first.head
    late = f", late: {duration(first.entry.behind_ms)} behind its source"
    yield "event", f"{text(event.event_id)} of {text(event.source)} (found by the {told.found_by})"
    yield "about", f"{text(event.fields.event_type)}, entity {text(event.fields.entity_id)}"
    yield "happened", format_ms(event.event_time)
    lag = f"{duration(told.lag_ms)} later" + (late if first.entry.behind_ms else "")
    yield "arrived", f"{format_ms(first.arrival_time)}, {lag}"
    yield "record", f"{first.entry.seq}, position {first.entry.position}, of {text(head.shard)}"
    yield "committed", f"{format_ms(head.committed_at)}, {text(head.commit_id)}"
    yield "correlation", text(head.correlation_id)
    place = first.place
    yield "raw", f"{text(place.key)}, line {first.number}: bytes {place.offset}+{place.length}"
    yield (
        "enriched",
        _part(told.enriched.standing, told.enriched.at, told.enriched.key, told.enriched.note),
    )
    yield "aggregated", text(head.marks.get(Stage.AGGREGATED, {}).get("at", "not yet"))
    yield (
        "archived",
        _part(told.archived.standing, told.archived.at, told.archived.key, told.archived.note),
    )
    status = f"({told.exported.status}) " if told.exported.status else ""
    yield "exported", _part(
        told.exported.standing, told.exported.at, told.exported.location,
        f"{status}{told.exported.note}",
    )  # fmt: skip


def _part(standing: Standing, at: str | None, where: str | None, note: str) -> str:
    said = ", ".join(text(each) for each in (at, where, note.strip()) if each)
    colour = _COLOURS[standing]
    return f"[{colour}]{standing}[/{colour}] {said}"


def _show_copies(console: Console, told: Biography) -> None:
    if told.copies:
        table = folding("copy after", "arrived", "commit", "line", "content", title="Copies")
        for copy in told.copies:
            table.add_row(
                duration(copy.after_ms), format_ms(copy.line.arrival_time),
                text(copy.line.head.commit_id), str(copy.line.number),
                "[red]another[/red]" if copy.conflict else "the same",
            )  # fmt: skip
        console.print(table)
    else:
        console.print("No copy.", end=" ")
    console.print(f"({text(told.copies_note)})")


def _show_counted(console: Console, rows: Iterable[CountedIn], note: str) -> None:
    table = folding(
        "scope", "window", "metric", "version", "standing", "value", "events",
        right=("value", "events"), title="Counted in",
    )  # fmt: skip
    for row in rows:
        colour = _COLOURS[row.standing]
        table.add_row(
            text(row.scope), row.window, row.metric, _version(row),
            f"[{colour}]{row.standing}[/{colour}]",
            "-" if row.value is None else f"{row.value:,}",
            "-" if row.event_count is None else f"{row.event_count:,}",
        )  # fmt: skip
    if table.row_count:
        console.print(table)
    if note:
        console.print(f"[yellow]{text(note)}[/yellow]")


def _version(row: CountedIn) -> str:
    return f"{row.version} (from {row.promoted_version})" if row.promoted_version else row.version


def _show_replays(console: Console, told: Biography) -> None:
    table = folding("replay", "version", "state", "with this event", "why", title="Replays")
    for each in told.replays:
        outcome = f"{each.outcome}{' (dry run)' if each.dry_run else ''}"
        table.add_row(each.replay_id, each.version, each.state, text(outcome), text(each.reason))
    console.print(table if table.row_count else "No replay touched it.")
    if told.replays_note:
        console.print(f"[yellow]{text(told.replays_note)}[/yellow]")


def show_record(console: Console, told: RecordBiography) -> None:
    """Print what one record of the stream held."""
    head = told.head
    console.print(
        f"Record {told.seq} of {text(told.shard)}: commit {text(head.commit_id)}, "
        f"committed {format_ms(head.committed_at)}"
    )
    if told.note:
        console.print(f"[yellow]{text(told.note)}[/yellow]")
    for line in told.events:
        owner = line.entry.duplicate_of
        what = f"a copy of {text(owner)}" if owner else "accepted"
        console.print(
            f"position {line.entry.position}: event {text(line.event.event_id)} of "
            f"{text(line.event.source)}, {what}"
        )
    for part in told.quarantined:
        record = part.record
        console.print(
            f"position {record.place.position}: [red]{text(record.reason)}[/red]: "
            f"{text(record.message)} ({len(record.data):,} bytes, in {text(head.quarantine_key)}); "
            f"{_done(part)}"
        )
        console.print(record.data.decode(errors="backslashreplace"), markup=False)


def _done(part: Quarantined) -> str:
    if part.mark is None:
        return "open: `millrace quarantine` says what can be done"
    return f"{part.mark.state} by {text(part.mark.who)} at {format_ms(part.mark.at)}"
