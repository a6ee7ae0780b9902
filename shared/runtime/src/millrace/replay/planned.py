"""One planned message: all of it but the replay and the version, which `apply` gives it."""

from dataclasses import dataclass
from datetime import datetime

import orjson

from millrace.aggregates import Version
from millrace.commit import Commit
from millrace.index import IndexEntry
from millrace.replay.message import ReplayMessage
from millrace.stored import raw_place
from millrace.times import from_epoch_ms, to_epoch_ms


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """One event of the plan, by the place of its bytes."""

    event_id: str
    entity_id: str
    event_time: datetime
    arrival_time: datetime
    key: str
    offset: int
    length: int
    line: int
    correlation_id: str
    source: str

    @classmethod
    def of(cls, entry: IndexEntry, commit: Commit) -> "PlannedEvent":
        """Return the event that an index entry names, found in its commit.

        Raises:
            LineMissing: the commit has no such line.
        """
        place = raw_place(commit, entry.line)
        return cls(
            event_id=entry.event_id,
            entity_id=entry.entity_id,
            event_time=entry.event_time,
            arrival_time=entry.arrival_time,
            key=place.key,
            offset=place.offset,
            length=place.length,
            line=place.line_in_member,
            correlation_id=commit.head.correlation_id,
            source=entry.source,
        )

    def message(self, bucket: str, replay_id: str, version: Version) -> ReplayMessage:
        """Return the message that sends this event through a replay."""
        return ReplayMessage(
            event_id=self.event_id,
            entity_id=self.entity_id,
            event_time=self.event_time,
            arrival_time=self.arrival_time,
            s3_bucket=bucket,
            s3_key=self.key,
            offset=self.offset,
            length=self.length,
            line=self.line,
            replay_id=replay_id,
            version=version,
            correlation_id=self.correlation_id,
        )

    def to_line(self) -> bytes:
        """Return the event as a line of a plan's chunk."""
        times = [to_epoch_ms(self.event_time), to_epoch_ms(self.arrival_time)]
        place = [self.key, self.offset, self.length, self.line]
        return orjson.dumps(
            [self.event_id, self.entity_id, *times, *place, self.correlation_id, self.source]
        )

    @classmethod
    def from_line(cls, line: bytes) -> "PlannedEvent":
        """Return the event that `to_line` wrote."""
        event_id, entity_id, time, arrival, *rest = orjson.loads(line)
        return cls(event_id, entity_id, from_epoch_ms(time), from_epoch_ms(arrival), *rest)
