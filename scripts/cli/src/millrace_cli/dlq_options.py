"""The options that choose dead letters, the same for every command."""

from dataclasses import dataclass
from typing import Annotated

import typer

from millrace.dlq.selection import Selection
from millrace_cli.dlq import parse_age

Queue = Annotated[str, typer.Argument(metavar="QUEUE", help="As `dlq list` names it.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many.")]


@dataclass(frozen=True, slots=True)
class Letters:
    """The options that say which messages of a queue."""

    message_id: Annotated[
        list[str] | None, typer.Option("--message-id", help="Only this message; may be repeated.")
    ] = None
    error: Annotated[
        str,
        typer.Option("--error", help="Only those whose error, as `dlq list` has it, holds this."),
    ] = ""
    older_than: Annotated[
        str | None,
        typer.Option(help="Only those first sent at least so long ago: 90s, 15m, 2h, 3d."),
    ] = None
    newer_than: Annotated[str | None, typer.Option(help="Only those first sent less long ago.")] = (
        None
    )
    replay_id: Annotated[str, typer.Option(help="Only messages of this replay.")] = ""

    def selection(self, limit: int | None) -> Selection:
        """Return what they choose, at most `limit` of it.

        Raises:
            CommandError: an age cannot be read.
        """
        return Selection(
            message_ids=frozenset(self.message_id or ()),
            error=self.error,
            older_than=parse_age(self.older_than, "--older-than"),
            newer_than=parse_age(self.newer_than, "--newer-than"),
            replay_id=self.replay_id,
            limit=limit,
        )
