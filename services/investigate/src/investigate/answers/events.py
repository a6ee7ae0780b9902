"""GET /entities/{id}/events."""

from typing import Any

from pydantic import Field

from investigate.answers.told import Answer, PeriodPage, Told


class ListedEvent(Answer):
    """One event of an entity."""

    event_id: str
    event_type: str
    entity_id: str
    event_time: str
    source: str
    arrival_time: str
    lag_ms: int
    duplicate: bool
    commit_id: str
    line: int
    payload: dict[str, Any] = Field(default_factory=dict)
    """Only where it was asked for."""


class EntityEventsAnswer(Told):
    """GET /entities/{id}/events: in order of event time."""

    entity_id: str
    coverage: PeriodPage
    events: tuple[ListedEvent, ...]
