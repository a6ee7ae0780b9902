"""`millrace lag`, `duplicates`, `late`, `sources` and `gaps`: what happened, and to whom."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Protocol, TypeVar

import typer
from rich.console import Console

from millrace.investigate.gaps import Subject
from millrace.investigate.lag import lag_report
from millrace_cli import render
from millrace_cli.asked import parse_duration, parse_period
from millrace_cli.investigation import Bounds, Investigation, answering, now
from millrace_cli.options import AsJson, Target
from millrace_cli.reporting import print_json, reported
from millrace_cli.tables.duplicates import show_duplicates
from millrace_cli.tables.gaps import show_gaps
from millrace_cli.tables.lag import show_lag
from millrace_cli.tables.late import show_late
from millrace_cli.tables.shapes import show_cost
from millrace_cli.tables.sources import show_sources

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)

ArrivedFrom = Annotated[
    str | None, typer.Option("--from", help="First arrival: 2015-09-12T13, UTC; a day before --to.")
]
ArrivedTo = Annotated[str | None, typer.Option("--to", help="Arrivals before this time; now.")]
Source = Annotated[str | None, typer.Option(help="Events of this source only.")]
Listed = Annotated[int, typer.Option("--list", min=0, help="Name so many events.")]
Cursor = Annotated[
    str | None, typer.Option(help="Go on where an answer ended that said so; same --from and --to.")
]
MaxPages = Annotated[
    int, typer.Option(min=1, help="Read at most so many query pages and objects, 1 MB each.")
]
Deadline = Annotated[float, typer.Option(min=0.1, help="Read for at most so many seconds.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", help="Say on standard error what the answer took to read.")
]


class Answer(Protocol):
    """What every use case returns."""

    def as_json(self) -> dict[str, Any]:
        """Return the answer for JSON."""
        ...


T = TypeVar("T", bound=Answer)


def tell(
    answer: T,
    investigation: Investigation,
    show: Callable[[Console, T], None],
    *,
    as_json: bool,
    verbose: bool,
) -> None:
    """Print an answer for a program or for a person, and what it took."""
    if as_json:
        print_json(answer.as_json() | {"read": investigation.cost.as_json()})
    else:
        show(render.out(), answer)
    if verbose:
        show_cost(render.err(), investigation.cost)


@reported
def lag_command(
    *,
    start: ArrivedFrom = None,
    end: ArrivedTo = None,
    source: Source = None,
    event_type: Annotated[
        str | None, typer.Option("--type", help="Events of this type only.")
    ] = None,
    cursor: Cursor = None,
    max_pages: MaxPages = 1000,
    deadline: Deadline = 60,
    verbose: Verbose = False,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Show how long after their time events arrive, and how long each stage takes.

    From histograms that are within 5 %, by source, type and hour of arrival; copies count too.
    """
    period = parse_period(start, end, now=now(), default=_DAY)
    asked = Investigation(target.load())
    with answering("read the commits"), render.working("Reading the commits"):
        answer = lag_report(
            asked.commits,
            period,
            asked.budget(Bounds(max_pages, deadline)),
            cursor=cursor,
            source=source,
            event_type=event_type,
        )
    tell(answer, asked, show_lag, as_json=as_json, verbose=verbose)


@reported
def duplicates_command(
    *,
    start: ArrivedFrom = None,
    end: ArrivedTo = None,
    source: Source = None,
    listed: Listed = 20,
    cursor: Cursor = None,
    max_pages: MaxPages = 1000,
    deadline: Deadline = 60,
    verbose: Verbose = False,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Show which events arrived again: how often, of whom, how soon, and whether changed."""
    period = parse_period(start, end, now=now(), default=_DAY)
    asked = Investigation(target.load())
    with answering("read the commits"), render.working("Reading the commits"):
        answer = asked.duplicates.report(
            period,
            asked.budget(Bounds(max_pages, deadline)),
            cursor=cursor,
            source=source,
            listed=listed,
        )
    tell(answer, asked, show_duplicates, as_json=as_json, verbose=verbose)


@reported
def late_command(
    *,
    start: ArrivedFrom = None,
    end: ArrivedTo = None,
    source: Source = None,
    listed: Listed = 20,
    cursor: Cursor = None,
    max_pages: MaxPages = 1000,
    deadline: Deadline = 60,
    verbose: Verbose = False,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Show which events arrived late, how far behind, and which closed windows they changed.

    Late is behind the highest event time of the same source by more than the allowed lateness.
    """
    period = parse_period(start, end, now=now(), default=_DAY)
    asked = Investigation(target.load())
    with answering("read the commits"), render.working("Reading the commits"):
        answer = asked.late.report(
            period,
            asked.budget(Bounds(max_pages, deadline)),
            cursor=cursor,
            source=source,
            listed=listed,
        )
    tell(answer, asked, show_late, as_json=as_json, verbose=verbose)


@reported
def sources_command(
    *,
    start: ArrivedFrom = None,
    end: ArrivedTo = None,
    cursor: Cursor = None,
    max_pages: MaxPages = 1000,
    deadline: Deadline = 60,
    verbose: Verbose = False,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Rank the sources by the share of their records that were rejected, came again or late."""
    period = parse_period(start, end, now=now(), default=_DAY)
    asked = Investigation(target.load())
    with answering("read the commits"), render.working("Reading the commits"):
        budget = asked.budget(Bounds(max_pages, deadline))
        answer = asked.sources.report(period, budget, now(), cursor=cursor)
    tell(answer, asked, show_sources, as_json=as_json, verbose=verbose)


@reported
def gaps_command(
    *,
    entity: Annotated[str | None, typer.Option(help="The entity's id.")] = None,
    source: Annotated[str | None, typer.Option(help="Or a source.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="First event time, UTC; a week before --to.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Event times before this; now.")] = None,
    longer_than: Annotated[
        str | None,
        typer.Option(help="Every silence longer than this (30m, 2h, 1d), usual or not."),
    ] = None,
    history: Annotated[
        str, typer.Option(help="How long before --from the rhythm is learnt from.")
    ] = "7d",
    max_pages: MaxPages = 1000,
    deadline: Deadline = 60,
    verbose: Verbose = False,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Show when an entity or a source was silent though by its own rhythm it should not have been.

    A silence is measured in the events that are usual meanwhile, so nights are not reported.
    A source's day is read from all of the index, an entity's from one part of it.
    """
    longer = parse_duration(longer_than, "--longer-than") if longer_than else None
    learnt = parse_duration(history, "--history")
    with answering("read the event index"):
        subject = Subject(entity, source)
    period = parse_period(start, end, now=now(), default=_WEEK)
    asked = Investigation(target.load())
    with answering("read the event index"), render.working("Reading the event index"):
        budget = asked.budget(Bounds(max_pages, deadline))
        answer = asked.gaps.report(subject, period, budget, longer_than=longer, history=learnt)
    tell(answer, asked, show_gaps, as_json=as_json, verbose=verbose)
