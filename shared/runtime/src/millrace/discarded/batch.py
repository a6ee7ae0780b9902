"""One batch that the mapping gave up: its range, why, and how it was closed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b

from millrace.commit import SeqRange, ShardKey


class State(StrEnum):
    """Whether anything is left to do about a batch."""

    OPEN = "open"
    REPAIRED = "repaired"
    """Every record of it is in a commit."""
    ABANDONED = "abandoned"
    """What no commit holds of it can never be had again; it is never repaired later."""


@dataclass(frozen=True, slots=True)
class Closing:
    """How a batch came to its end."""

    state: State
    at: datetime
    who: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DiscardedBatch:
    """What the mapping told of a batch when it gave it up."""

    shard: ShardKey
    range: SeqRange
    records: int
    first_arrival: datetime
    last_arrival: datetime
    discarded_at: datetime
    condition: str
    """AWS's word for why: RetryAttemptsExhausted, RecordAgeExceeded."""
    attempts: int
    error: str = ""
    """Unhandled if the function ended by an error; empty if it named what failed."""
    request_id: str = ""
    """The last invocation: its log says what went wrong."""
    payload_key: str | None = None
    """Object that holds the records; None if only the stream has them."""
    closing: Closing | None = None

    @property
    def batch_id(self) -> str:
        """The range in 8 hexadecimal digits: what people type."""
        place = f"{self.shard}|{self.range.first}|{self.range.last}"
        return blake2b(place.encode(), digest_size=4).hexdigest()

    @property
    def state(self) -> State:
        """Whether anything is left to do."""
        return self.closing.state if self.closing else State.OPEN


def ends_of(batches: Iterable[DiscardedBatch]) -> dict[str, int]:
    """Return how far each shard's batches reach, by shard id."""
    ends: dict[str, int] = {}
    for batch in batches:
        shard_id = batch.shard.shard_id
        ends[shard_id] = max(ends.get(shard_id, -1), batch.range.last)
    return ends
