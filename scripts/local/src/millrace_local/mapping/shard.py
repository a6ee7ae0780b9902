"""One shard of one mapping: read, cut, invoke, and move on or try again."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from millrace_local.mapping.outcome import Answer, read_outcome
from millrace_local.mapping.records import (
    EncodedRecord,
    RecordEncoder,
    StreamRecord,
    cut_batch,
    event_payload,
)
from millrace_local.mapping.settings import FOR_EVER, MappingSettings
from millrace_local.mapping.state import ShardProgress

logger = logging.getLogger(__name__)

IDLE_S = 0.1
_FIRST_BACKOFF_S = 0.2
_LONGEST_BACKOFF_S = 5.0


class Unavailable(Exception):
    """The stream or the function cannot be reached, or throttles: not an attempt, try again."""


class ShardEnded(Exception):
    """The shard has no further records and never will."""


@dataclass(frozen=True)
class Page:
    """What one GetRecords call returned. behind_ms: 0 at the end of the shard."""

    records: Sequence[StreamRecord]
    behind_ms: int = 0


class ShardSource(Protocol):
    """Reads a shard in order, from where the previous read ended."""

    def read(self) -> Page:
        """Return the next records, none when there are none yet.

        Raises: ShardEnded, Unavailable.
        """


class Clock(Protocol):
    """Epoch seconds."""

    def __call__(self) -> float:
        """Return the time."""


Invoke = Callable[[bytes], Answer]


class ShardConsumer:
    """Delivers one shard's records in order; nothing is passed over, ever.

    A batch that has used up its retries blocks the shard: AWS would discard it to a destination.
    """

    def __init__(  # noqa: PLR0917 - its collaborators
        self,
        settings: MappingSettings,
        encoder: RecordEncoder,
        source: ShardSource,
        invoke: Invoke,
        clock: Clock,
        progress: ShardProgress,
    ) -> None:
        """Take over the shard at `progress.position`, where `source` must stand."""
        self._settings = settings
        self._encoder = encoder
        self._source = source
        self._invoke = invoke
        self._clock = clock
        self.progress = progress
        self._buffer: list[EncodedRecord] = []
        self._gathering_since = 0.0
        self._retrying = 0  # length of the batch in hand, when an attempt at it has failed

    def step(self) -> float:
        """Do the next thing there is to do; return how many seconds nothing needs doing after it.

        Raises: ShardEnded: and everything that was read from the shard has been delivered.
        """
        if self.progress.blocked:
            return _LONGEST_BACKOFF_S
        try:
            return self._step()
        except Unavailable as err:
            self._note(f"unavailable: {err}")
            return _FIRST_BACKOFF_S

    def _step(self) -> float:
        if not self._retrying and len(self._buffer) < self._settings.batch_size:
            self._fill()
        count = self._retrying or self._ready()
        self._measure()
        if count == 0:
            return IDLE_S
        return self._deliver(self._buffer[:count])

    def _fill(self) -> None:
        asked_at = self._clock()
        try:
            page = self._source.read()
        except ShardEnded:
            if not self._buffer:
                raise
            self._gathering_since = 0.0  # nothing more to gather for
            return
        if not self._buffer:
            self._gathering_since = asked_at
            if not page.records and page.behind_ms == 0:
                self.progress.caught_up_at = asked_at
        self._buffer.extend(map(self._encoder.encode, page.records))

    def _ready(self) -> int:
        """Return how many records to deliver now: 0 in an open window without a full batch."""
        cut = cut_batch(self._buffer, self._settings.batch_size)
        window_is_open = self._clock() - self._gathering_since < self._settings.window_s
        return 0 if window_is_open and not cut.is_full else cut.count

    def _deliver(self, batch: Sequence[EncodedRecord]) -> float:
        self.progress.in_flight = len(batch)
        try:
            answer = self._invoke(event_payload(batch))
        finally:
            self.progress.in_flight = 0
        outcome = read_outcome(
            answer,
            [record.sequence for record in batch],
            reports_item_failures=self._settings.reports_item_failures,
        )
        self._advance(batch, outcome.done)
        if outcome.reason is None:
            self._note(f"delivered {len(batch)}")
            return 0.0
        self._retrying = len(batch) - outcome.done
        return self._failed(outcome.reason)

    def _advance(self, batch: Sequence[EncodedRecord], done: int) -> None:
        self._retrying = 0
        if done == 0:
            return
        del self._buffer[:done]
        self._gathering_since = self._clock()
        self.progress.position = batch[done - 1].sequence
        self.progress.delivered += done
        self.progress.attempts = 0  # the record that now comes first has its own retries
        self._measure()

    def _failed(self, reason: str) -> float:
        self.progress.attempts += 1
        attempts, retries = self.progress.attempts, self._settings.retries
        first = self._buffer[0].sequence
        if retries != FOR_EVER and attempts > retries:
            self.progress.blocked = (
                f"{attempts} attempts at {self._retrying} records from {first} failed: {reason}"
            )
            logger.error("shard blocked: %s", self.progress.blocked)
            self._note("blocked")
            return _LONGEST_BACKOFF_S
        self._note(f"failed: {reason}")
        logger.warning("batch failed, attempt %s, from sequence %s: %s", attempts, first, reason)
        return float(min(_FIRST_BACKOFF_S * 2 ** (min(attempts, 10) - 1), _LONGEST_BACKOFF_S))

    def _measure(self) -> None:
        self.progress.buffered = len(self._buffer)
        age_s = self._clock() - self._buffer[0].arrival if self._buffer else 0
        self.progress.iterator_age_ms = max(0, int(age_s * 1000))

    def _note(self, result: str) -> None:
        self.progress.last_result = result
        self.progress.last_result_at = self._clock()
