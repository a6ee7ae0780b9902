"""GET /events/{id}."""

from typing import Any, Literal

from investigate.answers.told import Answer, Told
from millrace.investigate.biography import Standing


class Line(Answer):
    """Where one arrival came from, and where its bytes lie."""

    arrival_time: str
    commit_id: str
    committed_at: str
    correlation_id: str
    """X-Ray finds the traces of the commit by it: `annotation.correlation_id = "..."`."""
    shard: str
    sequence: str
    position: int
    line: int
    raw_key: str
    raw_offset: int
    raw_length: int
    line_in_member: int


class Copy(Line):
    """The event once more: kept in raw, and counted nowhere."""

    after_ms: int
    conflict: bool


class Enriched(Answer):
    """The event's enriched row."""

    standing: Standing
    note: str
    key: str | None
    at: str | None
    defs_version: str | None
    row: dict[str, Any] | None


class CountedIn(Answer):
    """An aggregate row that the event belongs to."""

    scope: str
    window: str
    metric_name: str
    version: str
    standing: Standing
    value: int | float | None
    event_count: int | None
    updated_at: str | None
    replay_id: str | None
    promoted_version: str | None


class Archived(Answer):
    """The archive object that holds the event."""

    standing: Standing
    note: str
    hour: str | None
    key: str | None
    events: int | None
    at: str | None


class Exported(Answer):
    """The client's file of the event's hour."""

    standing: Standing
    note: str
    client_id: str | None
    location: str | None
    status: str | None
    events: int | None
    at: str | None


class Touched(Answer):
    """A replay that ran the event again."""

    replay_id: str
    version: str
    state: str
    started_at: str
    reason: str
    outcome: str
    dry_run: bool
    object_key: str | None
    defs_version: str


class BiographyAnswer(Told):
    """GET /events/{id}: all that is known of an event."""

    event_id: str
    source: str
    event_type: str
    entity_id: str
    client_id: str
    event_time: str
    found_by: Literal["gate", "index"]
    lag_ms: int
    late: bool
    behind_ms: int
    event: dict[str, Any]
    """As it was sent."""
    first: Line
    stages: dict[str, str | None]
    """When each stage marked the commit."""
    copies: tuple[Copy, ...]
    copies_note: str
    enriched: Enriched
    counted_in: tuple[CountedIn, ...]
    counted_note: str
    archived: Archived
    exported: Exported
    replays: tuple[Touched, ...]
    replays_note: str
