"""The options that choose records in quarantine, the same for every command."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from millrace.quarantine.marks import State
from millrace.quarantine.record import Place
from millrace.quarantine.selection import Selection
from millrace.reasons import RejectReason
from millrace.times import format_ms
from millrace_cli.aggregates import parse_instant
from millrace_cli.errors import CommandError, ExitCode

_WINDOW = timedelta(days=1)
_CLOCKS = timedelta(minutes=1)
"""By so much the clock of the stream may be ahead of this machine's."""
_EVER = datetime(2000, 1, 1, tzinfo=UTC)

Start = Annotated[
    str | None, typer.Option("--from", help="Arrived at this time or later; a day ago.")
]
End = Annotated[str | None, typer.Option("--to", help="Arrived before this time; now.")]
Rejected = Annotated[
    list[RejectReason] | None, typer.Option("--rejected", help="Rejected for this reason.")
]
Source = Annotated[list[str] | None, typer.Option("--source", help="This source's.")]
EventType = Annotated[list[str] | None, typer.Option("--type", help="Of this event type.")]
SchemaVersion = Annotated[
    list[str] | None, typer.Option("--schema-version", help="Of this schema version.")
]
States = Annotated[list[State] | None, typer.Option("--state", help="In this state.")]
Records = Annotated[
    list[str] | None,
    typer.Option("--record", metavar="SHARD/SEQ/POSITION", help="This one, whenever it arrived."),
]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many records.")]


@dataclass(frozen=True, slots=True)
class Filters:
    """The options as they were given."""

    start: str | None = None
    end: str | None = None
    rejected: Sequence[RejectReason] | None = None
    source: Sequence[str] | None = None
    event_type: Sequence[str] | None = None
    schema_version: Sequence[str] | None = None
    record: Sequence[str] | None = None
    state: Sequence[State] | None = None
    after: str | None = None
    limit: int | None = None

    def selection(self, now: datetime) -> Selection:
        """Return what they choose; the last day if no time is said.

        Raises:
            CommandError: a time cannot be read, or the window is empty.
            BadPlace: a record's name cannot be read.
        """
        places = frozenset(Place.parse(each) for each in self.record or ())
        first = _EVER if places else now - _WINDOW
        start = parse_instant(self.start, "--from") if self.start else first
        end = parse_instant(self.end, "--to") if self.end else now + _CLOCKS
        if start >= end:
            raise CommandError(
                f"--to {format_ms(end)} is not after --from {format_ms(start)}",
                "give a window in the past, at least a moment long",
                ExitCode.USAGE,
            )
        return Selection(
            start=start,
            end=end,
            reasons=frozenset(self.rejected or ()),
            sources=frozenset(self.source or ()),
            event_types=frozenset(self.event_type or ()),
            schema_versions=frozenset(self.schema_version or ()),
            states=frozenset(self.state or ()),
            places=places,
            after=Place.parse(self.after) if self.after else None,
            limit=self.limit,
        )

    @property
    def chosen(self) -> bool:
        """Something else than a time is said."""
        return any((self.rejected, self.source, self.event_type, self.schema_version, self.record))


def described(selection: Selection) -> str:
    """Return a selection in words, for people and the audit."""
    parts = [f"arrived {format_ms(selection.start)} to {format_ms(selection.end)}"]
    if selection.places:
        parts = [f"records {', '.join(map(str, sorted(selection.places)))}"]
    for what, values in (
        ("rejected for", selection.reasons),
        ("of source", selection.sources),
        ("of type", selection.event_types),
        ("of schema version", selection.schema_versions),
        ("in state", selection.states),
    ):
        if values:
            parts.append(f"{what} {' or '.join(sorted(values))}")
    if selection.limit is not None:
        parts.append(f"the first {selection.limit}")
    return ", ".join(parts)
