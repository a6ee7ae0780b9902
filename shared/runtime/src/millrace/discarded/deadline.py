"""How long a batch can still be repaired, and which is the most urgent."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from millrace.discarded.batch import DiscardedBatch


class Source(StrEnum):
    """Where the records of a batch can be had."""

    PAYLOAD = "payload"
    STREAM = "stream"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long things are kept in a deployment."""

    incarnation: str
    """Of the stream as it is: what one before it held went with it."""
    stream: timedelta
    """The stream's retention."""
    duplicates: timedelta
    """How long the gate knows an event from its arrival: no repair after that."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """Until when a batch can be repaired, and from what."""

    source: Source
    until: datetime

    def left(self, now: datetime) -> timedelta:
        """Return the time that is left; nothing once it has passed."""
        return max(self.until - now, timedelta())


def deadline_of(
    batch: DiscardedBatch, keeping: Keeping, now: datetime, *, has_payload: bool
) -> Deadline:
    """Return until when every record of `batch` can be had and still be told from a resend."""
    horizon = batch.first_arrival + keeping.duplicates
    if has_payload and horizon > now:
        return Deadline(Source.PAYLOAD, horizon)
    if batch.shard.incarnation != keeping.incarnation:
        return Deadline(Source.NOWHERE, min(batch.discarded_at, horizon))
    dropped = min(batch.first_arrival + keeping.stream, horizon)
    return Deadline(Source.STREAM if dropped > now else Source.NOWHERE, dropped)


def most_urgent_first(
    ranked: Iterable[tuple[DiscardedBatch, Deadline]],
) -> list[tuple[DiscardedBatch, Deadline]]:
    """Return what can still be saved by the time that is left, then what cannot."""
    return sorted(
        ranked,
        key=lambda each: (
            each[1].source is Source.NOWHERE,
            each[1].until,
            str(each[0].shard),
            each[0].range,
        ),
    )
