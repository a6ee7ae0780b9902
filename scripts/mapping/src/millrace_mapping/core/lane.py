"""One of a shard's concurrent batches: it gathers the records of its keys and tries one batch.

A key belongs to one lane, so that its records stay in order however many lanes there are:
https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html (parallelization factor)
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from zlib import crc32

from millrace_mapping.core.batching import MAX_PAYLOAD_BYTES, cut_batch
from millrace_mapping.core.discards import Discard
from millrace_mapping.core.records import EncodedRecord
from millrace_mapping.core.retrying import Batch
from millrace_mapping.core.settings import MappingSettings


def lane_of(partition_key: str, lanes: int) -> int:
    """Return the lane that a key belongs to."""
    return crc32(partition_key.encode()) % lanes if lanes > 1 else 0


@dataclass(slots=True)
class Lane:
    """Records that wait, the batch in hand (in pieces after a split), and when to go on."""

    settings: MappingSettings
    waiting: deque[EncodedRecord] = field(default_factory=deque)
    waiting_bytes: int = 0
    work: deque[Batch] = field(default_factory=deque)
    discard: Discard | None = None
    """Given up, on its way to the destination; the lane stands until it has got there."""
    busy: bool = False
    not_before: float = 0.0
    failures: int = 0
    """Attempts in a row, of whatever kind, that did not move the lane on."""
    _gathering_since: float = 0.0

    def add(self, record: EncodedRecord, now: float) -> None:
        """Put a record behind those that wait; the window opens with the first."""
        if not self.waiting:
            self._gathering_since = now
        self.waiting.append(record)
        self.waiting_bytes += len(record.json)

    def head(self, now: float, *, closing: bool) -> Batch | None:
        """Return the batch to try next, None while there is nothing or its window is open.

        closing: nothing will be added any more, so there is nothing to wait for.
        """
        if self.work:
            return self.work[0]
        cut = cut_batch(self.waiting, self.settings.batch_size)
        if cut.count == 0:
            return None
        if not cut.is_full and not closing and now < self._window_ends():
            return None
        batch = Batch(tuple(self.waiting.popleft() for _ in range(cut.count)))
        self.waiting_bytes -= sum(len(record.json) for record in batch.records)
        self._gathering_since = now
        self.work.append(batch)
        return batch

    def put_first(self, parts: Sequence[Batch]) -> None:
        """Replace the batch in hand by what is left of it."""
        self.work.popleft()
        self.work.extendleft(reversed(parts))

    def is_hungry(self) -> bool:
        """Tell whether more records could still join the next batch."""
        return (
            len(self.waiting) < self.settings.batch_size and self.waiting_bytes < MAX_PAYLOAD_BYTES
        )

    def is_due(self, now: float) -> bool:
        """Tell whether there is something to be done that has not been begun."""
        if self.busy or now < self.not_before:
            return False
        return bool(self.work or self.waiting or self.discard)

    def is_empty(self) -> bool:
        """Tell whether the lane has nothing to do and nothing under way."""
        return not (self.waiting or self.work or self.discard or self.busy)

    def oldest(self) -> EncodedRecord | None:
        """Return the record that has been here longest."""
        if self.discard:
            return self.discard.records[0]
        if self.work:
            return self.work[0].first
        return self.waiting[0] if self.waiting else None

    def wake_at(self) -> float | None:
        """Return when the lane is to be looked at again if nothing happens; None for never."""
        if self.busy or self.is_empty():
            return None
        if self.work or self.discard:
            return self.not_before
        return max(self.not_before, self._window_ends())

    def _window_ends(self) -> float:
        return self._gathering_since + self.settings.window_s
