"""Quarantine as people see it."""

from collections import Counter
from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from millrace.quarantine.dropping import Dropped
from millrace.quarantine.following import Fate
from millrace.quarantine.patching import Patched, Preview
from millrace.quarantine.reading import Held
from millrace.quarantine.recovering import Progress
from millrace.quarantine.rule import Rule
from millrace.quarantine.stats import Statistics
from millrace.times import format_ms
from millrace_cli import render
from millrace_cli.quarantine import ordered, whole_fields

_SHOWN_CHARACTERS = 2_000


def show_records(records: Iterable[Held]) -> None:
    """Print two lines a record: its name, which people copy whole, and what is known of it."""
    console, nothing = render.out(), True
    for held in records:
        nothing = False
        record, traits = held.record, held.record.traits
        console.print(f"{record.place}  {format_ms(record.arrival)}  {held.state}", markup=False)
        told = f"source {traits.source or '-'}, type {traits.event_type or '-'}"
        console.print(f"  {record.reason}: {record.message} ({told})", markup=False)
    if nothing:
        console.print("nothing in quarantine is selected")


def show_record(held: Held, rule: Rule | None) -> None:
    """Print one record with its bytes, its commit and what was done about it."""
    console, fields = render.out(), whole_fields(held, rule)
    facts = Table(box=None, show_header=False, pad_edge=False)
    for name in ("record", "reason", "message", "state", "arrival_time", "source", "event_type",
                 "schema_version", "bytes"):  # fmt: skip
        facts.add_row(name, escape(str(fields[name] if fields[name] is not None else "-")))
    for name, value in fields["commit"].items():
        facts.add_row(name, escape(str(value)))
    for name, value in (fields["mark"] or {}).items():
        facts.add_row(f"mark: {name}", escape(str(value)))
    console.print(facts)
    console.print(_text(held.record.data), markup=False)


def show_statistics(found: Statistics) -> None:
    """Print the counts, the largest group first."""
    console = render.out()
    table = Table(*(each.value.replace("_", " ") for each in found.by))
    table.add_column("records", justify="right")
    for group, count in ordered(found):
        table.add_row(*(escape(each) if each is not None else "-" for each in group), f"{count:,}")
    if table.row_count:
        console.print(table)
    when = ""
    if found.first_arrival and found.last_arrival:
        when = f", arrived {format_ms(found.first_arrival)} to {format_ms(found.last_arrival)}"
    console.print(
        f"{found.records:,} selected{when}; in the commits of that time {found.quarantined:,} of "
        f"{found.received:,} records were rejected ({found.share:.2%})"
    )


def show_preview(found: Preview) -> None:
    """Print examples before and after, and how many of all would validate."""
    console = render.out()
    for each in found.examples:
        _show_example(console, each)
    _show_counts(console, "would be mended, by what they were rejected for", found.mended)
    _show_counts(console, "would still be rejected", found.problems)
    console.print(
        f"rule {found.rule.rule_hash}: {found.valid:,} of {found.selected:,} selected records "
        f"would validate ({found.repeated:,} of them repeat another); nothing was sent"
    )


def show_recovered(progress: Progress, rule: Rule) -> None:
    """Print what a recovery did."""
    console = render.out()
    _show_counts(console, "not sent: still rejected", progress.problems)
    _show_counts(console, "not sent: begun by another rule", progress.begun_by_others)
    console.print(
        f"rule {rule.rule_hash}: {progress.sent:,} of {progress.selected:,} selected records sent "
        "and marked recovered"
    )


def show_fates(found: Counter[Fate] | None) -> None:
    """Print what became of what was sent."""
    console = render.out()
    if found is None:
        console.print("ingest has not committed all of it, and does not move on", style="yellow")
        return
    _show_counts(console, "what ingest made of them", {k.value: v for k, v in found.items()})
    if found[Fate.CONFLICT]:
        console.print(
            "conflict: another event with other content has that id already, and alone counts; "
            "`millrace duplicates` lists both",
            style="yellow",
            markup=False,
        )


def show_dropped(dropped: Dropped, *, dry_run: bool) -> None:
    """Print what a drop did, or would do."""
    console = render.out()
    _show_counts(console, "rejected for", dropped.reasons)
    done = "would be marked dropped; nothing was" if dry_run else "marked dropped; their bytes stay"
    console.print(f"{dropped.records:,} records {done}")


def _show_counts(console: Console, title: str, counts: Mapping[str, int]) -> None:
    for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        console.print(f"{title}: {count:,} {name}", markup=False)


def _show_example(console: Console, each: Patched) -> None:
    console.print(f"{each.record.place}: {each.record.reason}: {each.record.message}", markup=False)
    console.print(f"  before {_text(each.record.data)}", markup=False)
    if each.data is not None:
        console.print(f"  after  {_text(each.data)}", markup=False)
    verdict = f"valid, event_id {each.event.event_id}" if each.event else ""
    console.print(f"  {verdict or f'not sent, {each.problem}: {each.message}'}", markup=False)


def _text(data: bytes) -> str:
    shown = data[:_SHOWN_CHARACTERS].decode(errors="replace")
    return shown if len(data) <= _SHOWN_CHARACTERS else f"{shown}... ({len(data):,} bytes)"
