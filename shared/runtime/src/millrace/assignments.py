"""Who is in which experiment: assignments and experiments, and the bounds of what is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from millrace.enriched import Assignment

MAX_ID_CHARS = 128
"""Of an experiment's id and of a variant's name; both become part of aggregate keys."""
MAX_METADATA_BYTES = 16 * 1024
"""Of one experiment's metadata as JSON: a copy of it stands in every row of its entities."""

Metadata = Mapping[str, object]
"""What is known of one experiment, as JSON can hold it."""


@dataclass(frozen=True, slots=True)
class EntityAssignment:
    """The variant that an entity has in one experiment, and since when."""

    experiment_id: str
    variant: str
    assigned_at: datetime

    def seen_from(self, event_time: datetime) -> Assignment:
        """Return the assignment as an event at `event_time` carries it."""
        seconds = (event_time - self.assigned_at).total_seconds()
        return Assignment(self.experiment_id, self.variant, self.assigned_at, seconds)


@dataclass(frozen=True, slots=True)
class EntityAssignments:
    """All experiments that one entity is in, sorted by experiment."""

    known: tuple[EntityAssignment, ...] = ()
    malformed: int = 0
    """Stored assignments without a variant or without a readable `assigned_at`."""
