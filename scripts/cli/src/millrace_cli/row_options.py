"""The options that say how rows of a file become events."""

from dataclasses import dataclass
from typing import Annotated

import typer

from millrace_cli.event_times import ClockChange, parse_time_options
from millrace_cli.mapping import parse_mapping
from millrace_cli.put import Source
from millrace_cli.rows import RowFormat

Format = Annotated[RowFormat, typer.Option("--format", help="How rows are laid out.")]


@dataclass(frozen=True, slots=True)
class Rows:
    """The options of whatever sends a file."""

    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN",
            help="Make events of other rows: event_time=time, entity_id=a.b (into objects), "
            "source=const:wikipedia. Several in one option, or the option several times. The "
            "whole row becomes the payload unless payload is mapped.",
        ),
    ] = None
    row_format: Format = RowFormat.AUTO
    time_format: Annotated[
        str | None,
        typer.Option(
            help="How event_time is written: rfc3339, epoch_s, epoch_ms, epoch_us, epoch_ns, or a "
            "strptime pattern such as '%d/%m/%Y %H:%M:%S'.",
        ),
    ] = None
    zone: Annotated[
        str | None,
        typer.Option("--tz", help="Where times without an offset were read: UTC, Europe/Berlin."),
    ] = None
    clock_change: Annotated[
        ClockChange,
        typer.Option(
            "--clock-change",
            help="For local times that a change of the clocks repeats or skips: which instant.",
        ),
    ] = ClockChange.REFUSE

    def source(self, path: str, skip: int = 0) -> Source:
        """Return the events of a file or, for `-`, of standard input.

        Raises:
            CommandError: an option is wrong, or does not go with another.
        """
        times = parse_time_options(self.time_format, self.zone, self.clock_change)
        return Source(path, parse_mapping(self.maps or ()), self.row_format, skip, times)
