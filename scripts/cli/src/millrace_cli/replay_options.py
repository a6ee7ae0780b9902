"""The options that several commands of `millrace replay` share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from millrace.replay.operations import DEFAULT_RATE
from millrace.replay.plan import Plan
from millrace.replay.selection import DEFAULT_LIMIT, Selection, parse_bound
from millrace_cli import replay_progress
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.operators import operator
from millrace_cli.replay import Replays

PlanId = Annotated[str, typer.Argument(metavar="PLAN", help="Id that `replay plan` printed.")]
ReplayId = Annotated[str, typer.Argument(metavar="REPLAY", help="Id that `replay apply` printed.")]
Rate = Annotated[int, typer.Option(min=1, max=10_000, help="Messages a second at most.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Write no aggregates; report says what would be.")
]
Everything = Annotated[bool, typer.Option("--all", help="Rows that are the same or partial, too.")]
IdOnly = Annotated[bool, typer.Option("--quiet", "-q", help="Print the id alone.")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options that say what is to be replayed, and how."""

    start: Annotated[str, typer.Option("--from", help="First instant: 2025-12-28T09:00:00Z.")]
    end: Annotated[str, typer.Option("--to", help="First instant behind the window.")]
    entity: Annotated[str | None, typer.Option(help="Only this entity's events.")] = None
    source: Annotated[str | None, typer.Option(help="Only this source's events.")] = None
    event_type: Annotated[str | None, typer.Option("--type", help="Only this type.")] = None
    include_duplicates: Annotated[
        bool, typer.Option("--include-duplicates", help="Repeated events, too.")
    ] = False
    limit: Annotated[str, typer.Option(metavar="N|none", help="Refuse a larger selection.")] = str(
        DEFAULT_LIMIT
    )
    metrics: Annotated[
        Path | None, typer.Option(help="Metric definitions (TOML) instead of the deployed ones.")
    ] = None
    rate: Rate = DEFAULT_RATE

    def selection(self) -> Selection:
        """Return the selection.

        Raises:
            InvalidSelection: it cannot be meant.
            CommandError: the limit is none.
        """
        return Selection(
            start=parse_bound(self.start, "--from"),
            end=parse_bound(self.end, "--to"),
            entity_id=self.entity,
            source=self.source,
            event_type=self.event_type,
            include_duplicates=self.include_duplicates,
            limit=parse_limit(self.limit),
        )

    def planned(self, selection: Selection, replays: Replays, *, quiet: bool) -> Plan:
        """Plan the replay of the selection, and store the plan; shows how far it is.

        Raises:
            CommandError: the metric definitions cannot be had.
            MillraceError: it cannot be planned.
        """
        defined = replays.definitions_in(self.metrics)
        with replay_progress.events_progress(
            "looking into the index", "found", quiet=quiet
        ) as tell:
            return replays.planner.plan(selection, defined, operator(), self.rate, tell)


def parse_limit(text: str) -> int | None:
    """Return the limit in a number or `none`.

    Raises:
        CommandError: it is neither.
    """
    if text == "none":
        return None
    if not text.isdecimal():
        raise CommandError(
            f"--limit {text!r} is no limit",
            f"write a number, or none (default {DEFAULT_LIMIT})",
            ExitCode.USAGE,
        )
    return int(text)
