"""`millrace lag`, `duplicates`, `late`, `sources` and `gaps`: what happened, and to whom."""

from typing import Annotated

import typer

from millrace.investigate.gaps import Subject
from millrace.investigate.lag import lag_report
from millrace_cli.asked import parse_duration
from millrace_cli.investigate_options import Arrived, Cursor, Happened, Listing, Reading, Source
from millrace_cli.investigation import answering, now
from millrace_cli.reporting import reported
from millrace_cli.tables.duplicates import show_duplicates
from millrace_cli.tables.gaps import show_gaps
from millrace_cli.tables.lag import show_lag
from millrace_cli.tables.late import show_late
from millrace_cli.tables.sources import show_sources


@reported
def lag_command(
    *,
    arrived: Arrived,
    source: Source = None,
    event_type: Annotated[
        str | None, typer.Option("--type", help="Events of this type only.")
    ] = None,
    cursor: Cursor = None,
    reading: Reading,
) -> None:
    """Show how long after their time events arrive, and how long each stage takes.

    From histograms that are within 5 %, by source, type and hour of arrival; copies count too.
    """
    period = arrived.period(now())
    with reading.of("the commits") as (asked, budget):
        answer = lag_report(
            asked.commits, period, budget, cursor=cursor, source=source, event_type=event_type
        )
    reading.tell(answer, asked, show_lag)


@reported
def duplicates_command(*, listing: Listing, reading: Reading) -> None:
    """Show which events arrived again: how often, of whom, how soon, and whether changed."""
    period = listing.arrived.period(now())
    with reading.of("the commits") as (asked, budget):
        answer = asked.duplicates.report(
            period, budget,
            cursor=listing.cursor, source=listing.source, listed=listing.listed,
        )  # fmt: skip
    reading.tell(answer, asked, show_duplicates)


@reported
def late_command(*, listing: Listing, reading: Reading) -> None:
    """Show which events arrived late, how far behind, and which closed windows they changed.

    Late is behind the highest event time of the same source by more than the allowed lateness.
    """
    period = listing.arrived.period(now())
    with reading.of("the commits") as (asked, budget):
        answer = asked.late.report(
            period, budget,
            cursor=listing.cursor, source=listing.source, listed=listing.listed,
        )  # fmt: skip
    reading.tell(answer, asked, show_late)


@reported
def sources_command(*, arrived: Arrived, cursor: Cursor = None, reading: Reading) -> None:
    """Rank the sources by the share of their records that were rejected, came again or late."""
    period = arrived.period(now())
    with reading.of("the commits") as (asked, budget):
        answer = asked.sources.report(period, budget, now(), cursor=cursor)
    reading.tell(answer, asked, show_sources)


@reported
def gaps_command(
    *,
    entity: Annotated[str | None, typer.Option(help="The entity's id.")] = None,
    source: Annotated[str | None, typer.Option(help="Or a source.")] = None,
    happened: Happened,
    longer_than: Annotated[
        str | None,
        typer.Option(help="Every silence longer than this (30m, 2h, 1d), usual or not."),
    ] = None,
    history: Annotated[
        str, typer.Option(help="How long before --from the rhythm is learnt from.")
    ] = "7d",
    reading: Reading,
) -> None:
    """Show when an entity or a source was silent though by its own rhythm it should not have been.

    A silence is measured in the events that are usual meanwhile, so nights are not reported.
    A source's day is read from all of the index, an entity's from one part of it.
    """
    longer = parse_duration(longer_than, "--longer-than") if longer_than else None
    learnt = parse_duration(history, "--history")
    with answering("read the event index"):
        subject = Subject(entity, source)
    period = happened.period(now())
    with reading.of("the event index") as (asked, budget):
        answer = asked.gaps.report(subject, period, budget, longer_than=longer, history=learnt)
    reading.tell(answer, asked, show_gaps)
