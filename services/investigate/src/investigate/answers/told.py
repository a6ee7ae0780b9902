"""What every answer, or several, hold."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Ended = Literal["pages", "time"] | None


class Answer(BaseModel):
    """A part of an answer: it has the fields named here, and no other."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Read(Answer):
    """What the answer took to read."""

    query_pages: int
    """Of at most 1 MB each."""
    read_units: float
    object_reads: int


class Told(Answer):
    """What every answer has."""

    read: Read


class Page(Answer):
    """How much of the whole answer this one is."""

    complete: bool
    ended_by: Ended
    """What ended it early; null if a page is full, or the last one."""
    cursor: str | None
    """With this the same question is answered for the rest; null: there is no more."""


class PeriodPage(Page):
    """The period that was asked about, and how much of it the answer covers."""

    start: Annotated[str, Field(alias="from")]
    end: Annotated[str, Field(alias="to")]


class Coverage(PeriodPage):
    """The period of arrivals, and how much of it the answer covers."""

    commits: int
    """Commits that were read."""


class Arrival(Answer):
    """Where and when an event arrived."""

    event_id: str
    source: str
    event_type: str
    entity_id: str
    event_time: str
    arrival_time: str
