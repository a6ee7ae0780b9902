"""`millrace put --dry-run`: what would be sent, and what the pipeline would say to it."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import orjson

from millrace.errors import RejectedRecord
from millrace.event import EventLimits, parse_event
from millrace.times import format_ms
from millrace_cli.put import Source
from millrace_cli.records import OutRecord

SHOWN_EVENTS = 3
SHOWN_REJECTIONS = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """One valid event as it would be sent and stored."""

    number: int
    """Its place in the file, counted from 1 over rows, skipped ones included."""
    event_id: str
    event_time: str
    partition_key: str
    event: Any


@dataclass(frozen=True, slots=True)
class Rejection:
    """One record that would be quarantined."""

    number: int
    reason: str
    message: str


@dataclass(slots=True)
class Preview:
    """What putting a source would do."""

    records: int = 0
    bytes: int = 0
    valid: int = 0
    repeated: int = 0
    """Valid events that an earlier one of the same file makes duplicates."""
    rejected: Counter[str] = field(default_factory=Counter)
    """How many, by reason."""
    first_events: list[Shown] = field(default_factory=list)
    first_rejections: list[Rejection] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the preview for JSON."""
        return asdict(self) | {"rejected": dict(self.rejected)}


def preview(source: Source, now: datetime, limits: EventLimits | None = None) -> Preview:
    """Judge every record of `source` as ingest would, had it arrived `now`; send nothing.

    limits: those of the deployment; None are the defaults. Duplicates of what was sent earlier
    are not known here.

    Raises:
        CommandError: the file cannot be read, or holds a row that `put` would refuse to send.
    """
    seen: set[bytes] = set()
    result = Preview()
    bounds = limits or EventLimits()
    for number, record in enumerate(source.records(), start=source.skip + 1):
        result.records += 1
        result.bytes += len(record.data)
        try:
            event = parse_event(record.data, now, bounds)
        except RejectedRecord as rejection:
            _reject(result, number, rejection)
            continue
        result.valid += 1
        result.repeated += event.gate_key in seen
        seen.add(event.gate_key)
        if len(result.first_events) < SHOWN_EVENTS:
            at = format_ms(event.event_time)
            result.first_events.append(_shown(number, record, event.event_id, at))
    return result


def _reject(result: Preview, number: int, rejection: RejectedRecord) -> None:
    result.rejected[str(rejection.reason)] += 1
    if len(result.first_rejections) < SHOWN_REJECTIONS:
        result.first_rejections.append(Rejection(number, str(rejection.reason), rejection.message))


def _shown(number: int, record: OutRecord, event_id: str, event_time: str) -> Shown:
    return Shown(number, event_id, event_time, record.partition_key, orjson.loads(record.data))
