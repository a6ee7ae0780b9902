"""GET /entities/{id}/gaps."""

from typing import Annotated

from pydantic import Field

from investigate.answers.told import Answer, Ended, Told


class GapCoverage(Answer):
    """The period of event times, and how much of it the answer covers."""

    start: Annotated[str, Field(alias="from")]
    end: Annotated[str, Field(alias="to")]
    complete: bool
    ended_by: Ended
    covered_to: str | None
    """Where the answer ends if it is not complete: ask again from there."""


class RhythmAnswer(Answer):
    """How long ordinary silences are."""

    burst_size: float
    longest_ordinary_silence_in_usual_events: float


class Silence(Answer):
    """A time without an event."""

    start: Annotated[str, Field(alias="from")]
    end: Annotated[str, Field(alias="to")]
    duration_s: float
    open: bool
    """No event has ended it yet."""
    usual_events: float
    by_chance: float | None
    """How many so long ones chance makes in the whole span."""


class QuietHour(Answer):
    """An hour with unusually few events."""

    hour: str
    events: int
    usual_events: float
    by_chance: float | None


class GapsAnswer(Told):
    """GET /entities/{id}/gaps."""

    entity_id: str | None
    source: str | None
    coverage: GapCoverage
    learnt_from: str
    events: int
    rhythm: RhythmAnswer | None
    silences: tuple[Silence, ...]
    quiet_hours: tuple[QuietHour, ...]
    note: str
