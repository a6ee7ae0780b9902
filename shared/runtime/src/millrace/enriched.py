"""The normalised, enriched row: what aggregates, archives and exports are computed from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from millrace.event import Event
from millrace.identity import event_hash64
from millrace.times import format_ms, from_epoch_ms, parse_rfc3339, to_epoch_ms

_CONTRACT_FIELDS = frozenset(
    {
        "event_id", "event_type", "entity_id", "event_time", "source", "client_id", "payload",
        "schema_version", "arrival_time", "lag_ms", "assignments", "experiments", "defs_version",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Assignment:
    """An entity's variant in one experiment, as seen from one event."""

    experiment_id: str
    variant: str
    assigned_at: datetime
    seconds_since_assignment: float
    """Negative for an event that came before its assignment."""

    @property
    def before_assignment(self) -> bool:
        """The event happened before the entity was assigned."""
        return self.seconds_since_assignment < 0

    def to_fields(self) -> dict[str, object]:
        """Return the JSON form."""
        return {
            "experiment_id": self.experiment_id,
            "variant": self.variant,
            "assigned_at": format_ms(self.assigned_at),
            "seconds_since_assignment": self.seconds_since_assignment,
            "before_assignment": self.before_assignment,
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, object]) -> "Assignment":
        """Return the assignment that `to_fields` wrote."""
        return cls(
            str(fields["experiment_id"]),
            str(fields["variant"]),
            parse_rfc3339(str(fields["assigned_at"])),
            float(str(fields["seconds_since_assignment"])),
        )


@dataclass(frozen=True, slots=True)
class EnrichedEvent:
    """One accepted event with its arrival, its assignments and its unknown keys."""

    event_id: str
    event_type: str
    entity_id: str
    event_time: datetime
    source: str
    client_id: str
    payload: Mapping[str, object]
    schema_version: int
    arrival_time: datetime
    defs_version: str
    assignments: Sequence[Assignment] = ()
    experiments: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Metadata by experiment id."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """Unknown keys, and `correlation_id` and `idempotency_key`, as they were sent."""

    @property
    def lag_ms(self) -> int:
        """Milliseconds from the event to its arrival; negative for a fast clock."""
        return to_epoch_ms(self.arrival_time) - to_epoch_ms(self.event_time)

    @property
    def hash64(self) -> int:
        """This event's share of an `input_hash`."""
        return event_hash64(self.source, self.event_id)

    def to_line(self) -> bytes:
        """Return the row as one line of JSON, without a line end."""
        return orjson.dumps(
            {
                "event_id": self.event_id,
                "event_type": self.event_type,
                "entity_id": self.entity_id,
                "event_time": format_ms(self.event_time),
                "source": self.source,
                "client_id": self.client_id,
                "payload": self.payload,
                "schema_version": self.schema_version,
                "arrival_time": format_ms(self.arrival_time),
                "lag_ms": self.lag_ms,
                "assignments": [each.to_fields() for each in self.assignments],
                "experiments": self.experiments,
                "defs_version": self.defs_version,
            }
            | {k: v for k, v in self.extra.items() if k not in _CONTRACT_FIELDS}
        )

    @classmethod
    def from_line(cls, line: bytes) -> "EnrichedEvent":
        """Return the event that `to_line` wrote."""
        row = orjson.loads(line)
        return cls(
            event_id=row["event_id"],
            event_type=row["event_type"],
            entity_id=row["entity_id"],
            event_time=parse_rfc3339(row["event_time"]),
            source=row["source"],
            client_id=row["client_id"],
            payload=row["payload"],
            schema_version=row["schema_version"],
            arrival_time=parse_rfc3339(row["arrival_time"]),
            defs_version=row["defs_version"],
            assignments=tuple(Assignment.from_fields(each) for each in row["assignments"]),
            experiments=row["experiments"],
            extra={k: v for k, v in row.items() if k not in _CONTRACT_FIELDS},
        )


def normalised(event: Event, arrival_ms: int, defs_version: str) -> EnrichedEvent:
    """Return `event` as a row that has no assignments yet; its time is cut to milliseconds."""
    fields = event.fields
    extra: dict[str, object] = dict(fields.model_extra or {})
    for name in ("correlation_id", "idempotency_key"):
        value = getattr(fields, name)
        if value is not None:
            extra[name] = value
    return EnrichedEvent(
        event_id=event.event_id,
        event_type=fields.event_type,
        entity_id=fields.entity_id,
        event_time=from_epoch_ms(to_epoch_ms(event.event_time)),
        source=event.source,
        client_id=event.client_id,
        payload=fields.payload,
        schema_version=fields.schema_version,
        arrival_time=from_epoch_ms(arrival_ms),
        defs_version=defs_version,
        extra=extra,
    )
