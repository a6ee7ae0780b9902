"""GET /late."""

from typing import Annotated

from pydantic import Field

from investigate.answers.lag import Quantiles
from investigate.answers.told import Answer, Arrival, Coverage, Told


class LateCount(Answer):
    """How many events of a source and type were late."""

    source: str
    event_type: str
    events: int
    late: int


class LateWindow(Answer):
    """A window that had closed, and changed."""

    window: str
    start: Annotated[str, Field(alias="from")]
    end: Annotated[str, Field(alias="to")]
    late_events: int
    sources: tuple[str, ...]


class LateEvent(Arrival):
    """One event that came late."""

    behind_ms: int
    """Behind its source's highest event time."""
    duplicate: bool


class LateAnswer(Told):
    """GET /late."""

    coverage: Coverage
    late: int
    counts: tuple[LateCount, ...]
    behind: Quantiles
    changed_windows: tuple[LateWindow, ...]
    events: tuple[LateEvent, ...]
    unreadable: int
    """Late events that are counted and cannot be named."""
