"""Reading chosen lines of a commit: one read of the raw object, of the members that hold them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from millrace.commit import Commit, CommittedLine
from millrace.event import Event, read_event
from millrace.investigate.ports import Bodies
from millrace.raw_lines import member_of, unpack
from millrace.times import format_ms, from_epoch_ms


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event as an answer names it: which it is, and when it came."""

    event_id: str
    source: str
    event_type: str
    entity_id: str
    event_time: datetime
    arrival_time: datetime

    def as_json(self) -> dict[str, Any]:
        """Return the event for JSON."""
        return {
            "event_id": self.event_id, "source": self.source, "event_type": self.event_type,
            "entity_id": self.entity_id, "event_time": format_ms(self.event_time),
            "arrival_time": format_ms(self.arrival_time),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class LineOfCommit:
    """One event with its entry in the line table."""

    commit: Commit
    number: int
    event: Event

    @property
    def entry(self) -> CommittedLine:
        """Where it came from, when, and whether it counts."""
        return self.commit.body.lines[self.number]

    @property
    def arrival(self) -> Arrival:
        """What an answer names of it."""
        event, fields = self.event, self.event.fields
        return Arrival(
            event.event_id, event.source, fields.event_type, fields.entity_id,
            event.event_time, from_epoch_ms(self.entry.arrival_ms),
        )  # fmt: skip


def read_lines(objects: Bodies, commit: Commit, numbers: Sequence[int]) -> Iterator[LineOfCommit]:
    """Yield the lines with these numbers (rising); reads nothing if there are none.

    Raises:
        ObjectMissing: the raw object is gone.
    """
    if not numbers or commit.head.raw_key is None:
        return
    members = commit.body.members
    first, last = member_of(members, numbers[0]), member_of(members, numbers[-1])
    length = last.offset + last.length - first.offset
    lines = unpack(objects.get_range(commit.head.raw_key, first.offset, length))
    for number in numbers:
        yield LineOfCommit(commit, number, read_event(lines[number - first.first_line]))
