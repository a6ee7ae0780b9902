"""GET /duplicates."""

from investigate.answers.lag import Quantiles
from investigate.answers.told import Answer, Arrival, Coverage, Told


class DuplicateRate(Answer):
    """How often events of a source and type came again."""

    source: str
    event_type: str
    events: int
    duplicates: int
    conflicts: int
    """Copies with other content."""
    duplicate_share: float


class DuplicatesOfEntity(Answer):
    """How many copies an entity has."""

    entity_id: str
    duplicates: int


class Repetition(Arrival):
    """One event that came again."""

    repeats: str
    """Where the first one came from: shard, sequence number and position."""
    after_ms: int | None
    conflict: bool


class DuplicatesAnswer(Told):
    """GET /duplicates."""

    coverage: Coverage
    events: int
    duplicates: int
    conflicts: int
    rates: tuple[DuplicateRate, ...]
    time_between: Quantiles
    worst_entities: tuple[DuplicatesOfEntity, ...]
    repetitions: tuple[Repetition, ...]
    unreadable: int
    """Repetitions whose raw object is gone."""
