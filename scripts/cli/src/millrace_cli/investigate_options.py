"""The options of investigations: which events, how far to read, and how to tell what was found."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Protocol, TypeVar

import typer
from rich.console import Console

from millrace.investigate.walking import Period
from millrace.read_cost import Budget
from millrace_cli import render
from millrace_cli.asked import parse_period
from millrace_cli.investigation import Bounds, Investigation, answering
from millrace_cli.options import AsJson, Target
from millrace_cli.reporting import print_json
from millrace_cli.tables.shapes import show_cost

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)

Source = Annotated[str | None, typer.Option(help="Events of this source only.")]
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


@dataclass(frozen=True, slots=True)
class Arrived:
    """The options that say when events arrived."""

    start: Annotated[
        str | None,
        typer.Option("--from", help="First arrival: 2015-09-12T13, UTC; a day before --to."),
    ] = None
    end: Annotated[str | None, typer.Option("--to", help="Arrivals before this time; now.")] = None

    def period(self, now: datetime) -> Period:
        """Return the period, of a day if nothing else is said.

        Raises:
            CommandError: a time is malformed, or the period is empty.
        """
        return parse_period(self.start, self.end, now=now, default=_DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The options of an answer that names events: which arrivals, of whom, how many, from where."""

    arrived: Arrived
    source: Source = None
    listed: Annotated[int, typer.Option("--list", min=0, help="Name so many events.")] = 20
    cursor: Cursor = None


@dataclass(frozen=True, slots=True)
class Happened:
    """The options that say which event times are asked about."""

    start: Annotated[
        str | None, typer.Option("--from", help="First event time, UTC; a week before --to.")
    ] = None
    end: Annotated[str | None, typer.Option("--to", help="Event times before this; now.")] = None

    def period(self, now: datetime) -> Period:
        """Return the period, of a week if nothing else is said.

        Raises:
            CommandError: a time is malformed, or the period is empty.
        """
        return parse_period(self.start, self.end, now=now, default=_WEEK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The options of reading a deployment's past: how far, how to tell it, and where it is."""

    max_pages: MaxPages = 1000
    deadline: Deadline = 60
    verbose: Verbose = False
    as_json: AsJson = False
    target: Target

    @property
    def bounds(self) -> Bounds:
        """How much may be read."""
        return Bounds(self.max_pages, self.deadline)

    @contextmanager
    def of(self, what: str) -> Iterator[tuple[Investigation, Budget]]:
        """Hand out the deployment's investigation, and a budget that begins now.

        Raises:
            CommandError: the deployment is not there, an option is wrong, or `what` cannot be read.
        """
        asked = Investigation(self.target.load())
        with answering(f"read {what}"), render.working(f"Reading {what}"):
            yield asked, asked.budget(self.bounds)

    def tell(self, answer: T, asked: Investigation, show: Callable[[Console, T], None]) -> None:
        """Print an answer for a program or for a person, and what it took."""
        if self.as_json:
            print_json(answer.as_json() | {"read": asked.cost.as_json()})
        else:
            show(render.out(), answer)
        if self.verbose:
            show_cost(render.err(), asked.cost)
