"""The options that choose records in quarantine, the same for every command."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from millrace.quarantine.marks import State
from millrace.quarantine.record import Place
from millrace.quarantine.recovering import recoverable
from millrace.quarantine.selection import Selection
from millrace.reasons import RejectReason
from millrace.times import format_ms
from millrace_cli.aggregates import parse_instant
from millrace_cli.errors import CommandError, ExitCode

_WINDOW = timedelta(days=1)
_CLOCKS = timedelta(minutes=1)
"""By so much the clock of the stream may be ahead of this machine's."""
_EVER = datetime(2000, 1, 1, tzinfo=UTC)

States = Annotated[list[State] | None, typer.Option("--state", help="In this state.")]
Records = Annotated[
    list[str] | None,
    typer.Option("--record", metavar="SHARD/SEQ/POSITION", help="This one, whenever it arrived."),
]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many records.")]


@dataclass(frozen=True, slots=True)
class Filters:
    """The options that every command has."""

    start: Annotated[
        str | None, typer.Option("--from", help="Arrived at this time or later; a day ago.")
    ] = None
    end: Annotated[str | None, typer.Option("--to", help="Arrived before this time; now.")] = None
    rejected: Annotated[
        list[RejectReason] | None, typer.Option("--rejected", help="Rejected for this reason.")
    ] = None
    source: Annotated[list[str] | None, typer.Option("--source", help="This source's.")] = None
    event_type: Annotated[list[str] | None, typer.Option("--type", help="Of this event type.")] = (
        None
    )
    schema_version: Annotated[
        list[str] | None, typer.Option("--schema-version", help="Of this schema version.")
    ] = None

    @property
    def chosen(self) -> bool:
        """Something else than a time is said."""
        return any((self.rejected, self.source, self.event_type, self.schema_version))

    def selection(
        self,
        now: datetime,
        *,
        record: Sequence[str] | None = None,
        state: Sequence[State] | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Selection:
        """Return what they choose, with what else was said; the last day if no time is.

        Raises:
            CommandError: a time cannot be read, or the window is empty.
            BadPlace: a record's name cannot be read.
        """
        places = frozenset(Place.parse(each) for each in record or ())
        start, end = self._window(now, _EVER if places else now - _WINDOW)
        return Selection(
            start=start,
            end=end,
            reasons=frozenset(self.rejected or ()),
            sources=frozenset(self.source or ()),
            event_types=frozenset(self.event_type or ()),
            schema_versions=frozenset(self.schema_version or ()),
            states=frozenset(state or ()),
            places=places,
            after=Place.parse(after) if after else None,
            limit=limit,
        )

    def _window(self, now: datetime, first: datetime) -> tuple[datetime, datetime]:
        start = parse_instant(self.start, "--from") if self.start else first
        end = parse_instant(self.end, "--to") if self.end else now + _CLOCKS
        if start >= end:
            raise CommandError(
                f"--to {format_ms(end)} is not after --from {format_ms(start)}",
                "give a window in the past, at least a moment long",
                ExitCode.USAGE,
            )
        return start, end


@dataclass(frozen=True, slots=True, kw_only=True)
class Mendable:
    """The options that choose records to mend: by what they are, by name, so many."""

    filters: Filters
    record: Records = None
    limit: Limit = None

    def selection(self, now: datetime) -> Selection:
        """Return what they choose of what can be recovered.

        Raises:
            CommandError: a time cannot be read, or the window is empty.
            BadPlace: a record's name cannot be read.
        """
        return recoverable(self.filters.selection(now, record=self.record, limit=self.limit))


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
