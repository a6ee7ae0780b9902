"""An event's biography: everything that is known of one event, and what cannot be known."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson

from millrace.commit import CommitHead, CommittedLine, Stage
from millrace.event import Event
from millrace.index import IndexEntry
from millrace.stored import RawPlace
from millrace.times import format_ms, from_epoch_ms, to_epoch_ms

COUNTED = "counted"


class Standing(StrEnum):
    """How one thing about an event stands."""

    FOUND = "found"
    PENDING = "pending"
    """The stage has not marked the commit yet."""
    EXPIRED = "expired"
    """It was there, and its time ran out."""
    MISSING = "missing"
    """It should be there and is not."""
    NONE = "none"
    """There is none, and none is due."""
    UNKNOWN = "unknown"
    """It cannot be told; the note says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One arrival of the event: a line of a raw object."""

    head: CommitHead
    number: int
    entry: CommittedLine
    place: RawPlace

    @property
    def arrival_time(self) -> datetime:
        """When Kinesis received the record."""
        return from_epoch_ms(self.entry.arrival_ms)

    def as_json(self) -> dict[str, Any]:
        """Return where the bytes came from and where they lie."""
        return {
            "arrival_time": format_ms(self.arrival_time),
            "commit_id": self.head.commit_id,
            "committed_at": format_ms(self.head.committed_at),
            "correlation_id": self.head.correlation_id,
            "shard": str(self.head.shard),
            "sequence": str(self.entry.seq),
            "position": self.entry.position,
            "line": self.number,
            "raw_key": self.place.key,
            "raw_offset": self.place.offset,
            "raw_length": self.place.length,
            "line_in_member": self.place.line_in_member,
        }


@dataclass(frozen=True, slots=True)
class Copy:
    """The event once more: kept in raw, and counted nowhere."""

    line: Line
    after_ms: int
    """Since the first arrival; negative where a shard was read later than another."""
    conflict: bool
    """Its content is another."""

    def as_json(self) -> dict[str, Any]:
        """Return the copy for JSON."""
        return {"after_ms": self.after_ms, "conflict": self.conflict} | self.line.as_json()


@dataclass(frozen=True, slots=True)
class Enriched:
    """The event's row in the enriched object of its commit."""

    standing: Standing
    note: str = ""
    key: str | None = None
    at: str | None = None
    defs_version: str | None = None
    row: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the part for JSON."""
        return {
            "standing": self.standing, "note": self.note, "key": self.key, "at": self.at,
            "defs_version": self.defs_version, "row": self.row,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class CountedIn:
    """One aggregate row that the event belongs to, in one version."""

    scope: str
    window: str
    metric: str
    version: str
    standing: Standing
    """`found`: the event is in the row's number."""
    value: int | Decimal | None
    event_count: int | None
    updated_at: datetime | None
    replay_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the row for JSON; its value with every digit."""
        value = None if self.value is None else orjson.Fragment(str(self.value))
        return {
            "scope": self.scope, "window": self.window, "metric_name": self.metric,
            "version": self.version, "standing": self.standing, "value": value,
            "event_count": self.event_count,
            "updated_at": format_ms(self.updated_at) if self.updated_at else None,
            "replay_id": self.replay_id,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Archived:
    """The archive object that holds the event."""

    standing: Standing
    note: str = ""
    hour: str | None = None
    key: str | None = None
    events: int | None = None
    at: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the part for JSON."""
        return {
            "standing": self.standing, "note": self.note, "hour": self.hour, "key": self.key,
            "events": self.events, "at": self.at,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exported:
    """The client's file of the event's hour."""

    standing: Standing
    note: str = ""
    client_id: str | None = None
    location: str | None = None
    """`s3://bucket/key`."""
    status: str | None = None
    """`complete` or `provisional`."""
    events: int | None = None
    at: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the part for JSON."""
        return {
            "standing": self.standing, "note": self.note, "client_id": self.client_id,
            "location": self.location, "status": self.status, "events": self.events, "at": self.at,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Touched:
    """A replay that ran the event again."""

    replay_id: str
    version: str
    state: str
    started_at: datetime
    reason: str
    outcome: str
    """`counted`, `enriched`, `planned`, or `skipped: why`."""
    dry_run: bool
    object_key: str | None = None
    defs_version: str = ""

    @property
    def counted(self) -> bool:
        """The event is in the rows of the replay's version."""
        return self.outcome == COUNTED

    def as_json(self) -> dict[str, Any]:
        """Return the replay for JSON."""
        return {
            "replay_id": self.replay_id, "version": self.version, "state": self.state,
            "started_at": format_ms(self.started_at), "reason": self.reason,
            "outcome": self.outcome, "dry_run": self.dry_run, "object_key": self.object_key,
            "defs_version": self.defs_version,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Biography:
    """All of it. What is not known is said in the standing and the note of each part."""

    event: Event
    raw: bytes
    found_by: str
    """`gate`: by its id; `index`: by its entity and time, after the gate forgot the id."""
    first: Line
    copies: tuple[Copy, ...]
    copies_note: str
    enriched: Enriched
    counted_in: tuple[CountedIn, ...]
    counted_note: str
    archived: Archived
    exported: Exported
    replays: tuple[Touched, ...]
    replays_note: str

    @property
    def lag_ms(self) -> int:
        """From the event to its arrival; negative for a fast clock."""
        return self.first.entry.arrival_ms - to_epoch_ms(self.event.event_time)

    def as_json(self) -> dict[str, Any]:
        """Return the biography for JSON."""
        event = self.event
        return {
            "event_id": event.event_id,
            "source": event.source,
            "event_type": event.fields.event_type,
            "entity_id": event.fields.entity_id,
            "client_id": event.client_id,
            "event_time": format_ms(event.event_time),
            "found_by": self.found_by,
            "lag_ms": self.lag_ms,
            "late": self.first.entry.behind_ms > 0,
            "behind_ms": self.first.entry.behind_ms,
            "event": orjson.Fragment(self.raw),
            "first": self.first.as_json(),
            "stages": {
                stage.value: self.first.head.marks.get(stage, {}).get("at") for stage in Stage
            },
            "copies": [copy.as_json() for copy in self.copies],
            "copies_note": self.copies_note,
            "enriched": self.enriched.as_json(),
            "counted_in": [row.as_json() for row in self.counted_in],
            "counted_note": self.counted_note,
            "archived": self.archived.as_json(),
            "exported": self.exported.as_json(),
            "replays": [each.as_json() for each in self.replays],
            "replays_note": self.replays_note,
        }


def index_entry_of(event: Event, line: Line) -> IndexEntry:
    """Return the event as the index knows it."""
    return IndexEntry(
        event_id=event.event_id,
        entity_id=event.fields.entity_id,
        event_time=from_epoch_ms(to_epoch_ms(event.event_time)),
        event_type=event.fields.event_type,
        source=event.source,
        arrival_time=line.arrival_time,
        shard=line.head.shard,
        first_seq=line.head.first_seq,
        line=line.number,
        duplicate=line.entry.duplicate_of is not None,
    )
