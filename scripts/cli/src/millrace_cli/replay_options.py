"""The options that several commands of `millrace replay` share."""

from pathlib import Path
from typing import Annotated

import typer

PlanId = Annotated[str, typer.Argument(metavar="PLAN", help="Id that `replay plan` printed.")]
ReplayId = Annotated[str, typer.Argument(metavar="REPLAY", help="Id that `replay apply` printed.")]
Rate = Annotated[int, typer.Option(min=1, max=10_000, help="Messages a second at most.")]
Start = Annotated[str, typer.Option("--from", help="First instant: 2025-12-28T09:00:00Z.")]
End = Annotated[str, typer.Option("--to", help="First instant behind the window.")]
Entity = Annotated[str | None, typer.Option(help="Only this entity's events.")]
Source = Annotated[str | None, typer.Option(help="Only this source's events.")]
EventType = Annotated[str | None, typer.Option("--type", help="Only this type.")]
Duplicates = Annotated[bool, typer.Option("--include-duplicates", help="Repeated events, too.")]
Limit = Annotated[str, typer.Option(metavar="N|none", help="Refuse a larger selection.")]
Metrics = Annotated[
    Path | None, typer.Option(help="Metric definitions (TOML) instead of the deployed ones.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Write no aggregates; report says what would be.")
]
Everything = Annotated[bool, typer.Option("--all", help="Rows that are the same or partial, too.")]
IdOnly = Annotated[bool, typer.Option("--quiet", "-q", help="Print the id alone.")]
