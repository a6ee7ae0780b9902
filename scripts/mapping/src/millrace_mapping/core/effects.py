"""What the core asks for, and what it is told. Each effect is answered by exactly one report."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from millrace_mapping.core.discards import Discard
from millrace_mapping.core.records import StreamRecord
from millrace_mapping.core.retrying import Batch
from millrace_mapping.core.settings import Start


@dataclass(frozen=True, slots=True)
class OpenIterator:
    """Get a shard iterator; report with `opened` or `read_failed`."""

    start: Start


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Get records; report with `page_read` or `read_failed`."""

    iterator: str


@dataclass(frozen=True, slots=True)
class Invoke:
    """Invoke the function; report with `answered` or `not_invoked`."""

    lane: int
    batch: Batch


@dataclass(frozen=True, slots=True)
class Deliver:
    """Send a discarded batch to the destination; report with `delivered`."""

    lane: int
    discard: Discard


Effect = OpenIterator | ReadPage | Invoke | Deliver


@dataclass(frozen=True, slots=True)
class Page:
    """What one GetRecords call returned. iterator: None at the end of a closed shard.

    behind_ms: 0 at the tip of the shard.
    """

    records: Sequence[StreamRecord]
    iterator: str | None
    behind_ms: int = 0


class ReadFault(StrEnum):
    """Why a read brought nothing."""

    EXPIRED = "the iterator has expired"
    THROTTLED = "the read was throttled"
    UNAVAILABLE = "the stream cannot be reached"
    DENIED = "the role may not read the stream"
    GONE = "the shard is no longer there"
