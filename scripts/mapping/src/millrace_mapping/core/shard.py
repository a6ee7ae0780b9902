"""One shard of one mapping, as a state machine: told what happened, it says what to do.

It holds no clock and does nothing itself. `effects` returns what is to be carried out; each effect
is reported back once, in any order and after any time; `wake_at` says when to ask again.
"""

from collections.abc import Sequence
from math import inf

from millrace_mapping.core.checkpoint import Checkpoint
from millrace_mapping.core.discards import Condition, Discard
from millrace_mapping.core.effects import Deliver, Effect, Invoke, Page, ReadFault
from millrace_mapping.core.filtering import RecordFilter
from millrace_mapping.core.lane import Lane, lane_of
from millrace_mapping.core.measures import Measure, Metric, Result
from millrace_mapping.core.outcome import Answer, read_outcome
from millrace_mapping.core.reading import Reading
from millrace_mapping.core.records import EncodedRecord, RecordEncoder
from millrace_mapping.core.retrying import Batch, is_exhausted, left_after, split_by_age
from millrace_mapping.core.settings import FOR_EVER, MappingSettings, Origin, Pace, Start

# A destination that refuses so often in a row is given up too; AWS documents the metric alone.
DELIVERY_ATTEMPTS = 5
# How much may wait behind batches that are retried, before reading waits too: a full page or two.
_READ_AHEAD = 10_000
_READ_AHEAD_BYTES = 32 * 1024 * 1024


class ShardMachine:
    """Reads one shard in order and sees each of its records done with: that is its whole duty."""

    def __init__(
        self,
        settings: MappingSettings,
        shard_id: str,
        start: Start,
        pace: Pace = Pace(),  # noqa: B008 - frozen
        retention_s: float = inf,
    ) -> None:
        """Begin at `start`; retention_s: the age at which the stream itself drops a record.

        LATEST is no place to begin at: it moves while an iterator expires (see MappingMachine).
        """
        self.shard_id = shard_id
        self.settings = settings
        self.paused = False
        self.retention_s = retention_s
        self.caught_up_at: float | None = None
        """As of this moment every record in the shard was done with."""
        self.last_result = Result.NONE
        self.last_reason: str | None = None
        self.done_count = 0
        self.lost_count = 0
        """Records that the stream's retention took before they could be processed."""
        self.discarded_count = 0
        self._pace = pace
        self._encoder = RecordEncoder(settings, shard_id)
        self._filter = RecordFilter(settings.filters)
        self._reading = Reading(start, pace, last_read=start.after)
        self._checkpoint = Checkpoint(start.after)
        self._lanes = [Lane(settings) for _ in range(settings.parallelization)]
        self._measures: list[Measure] = []
        self._discards: list[Discard] = []

    # What can be asked at any time.

    @property
    def position(self) -> str | None:
        """The last sequence number with nothing open at or before it."""
        return self._checkpoint.position

    @property
    def resume_from(self) -> Start:
        """Where a later machine of this shard has to begin."""
        if self.position is not None:
            return Start(Origin.AFTER, after=self.position)
        return self._reading.start

    @property
    def is_done(self) -> bool:
        """Tell whether the shard is closed and every record of it done with."""
        return self._reading.ended and all(lane.is_empty() for lane in self._lanes)

    @property
    def is_resting(self) -> bool:
        """Tell whether no effect is under way."""
        return not self._reading.under_way and not any(lane.busy for lane in self._lanes)

    @property
    def open_count(self) -> int:
        """Records that are read and not done with."""
        return self._checkpoint.open_count

    @property
    def in_flight(self) -> int:
        """Records of the invocations that are running."""
        return sum(len(lane.work[0].records) for lane in self._lanes if lane.busy and lane.work)

    @property
    def attempts(self) -> int:
        """Failed attempts at the batch in hand, the most of any lane."""
        return max(lane.failures for lane in self._lanes)

    def age_ms(self, now: float) -> int:
        """Return the age of the oldest record that is not done with; 0 if there is none."""
        arrivals = [oldest.arrival for lane in self._lanes if (oldest := lane.oldest())]
        return max(0, int((now - min(arrivals)) * 1000)) if arrivals else 0

    def take_measures(self) -> list[Measure]:
        """Return what was measured since the last call."""
        taken, self._measures = self._measures, []
        return taken

    def take_discards(self) -> list[Discard]:
        """Return what was given up since the last call."""
        taken, self._discards = self._discards, []
        return taken

    # What to do.

    def effects(self, now: float) -> list[Effect]:
        """Return what is to be carried out now; nothing while paused."""
        if self.paused:
            return []
        effects: list[Effect] = []
        for number, lane in enumerate(self._lanes):
            if lane.is_due(now) and (effect := self._lane_effect(number, lane, now)) is not None:
                effects.append(effect)
        if self._wants_page() and now >= self._reading.not_before:
            effects.append(self._reading.ask(now))
        return effects

    def wake_at(self) -> float | None:
        """Return when to ask again although nothing was reported; None for not at all."""
        return min((at for at in self.wakes() if at is not None), default=None)

    def wakes(self) -> tuple[float | None, float | None]:
        """Return when a batch and when the next read want to be looked at."""
        if self.paused:
            return None, None
        lanes = [at for lane in self._lanes if (at := lane.wake_at()) is not None]
        read = self._reading.not_before if self._wants_page() else None
        return min(lanes, default=None), read

    # What happened.

    def opened(self, iterator: str) -> None:
        """Report the iterator that OpenIterator asked for."""
        self._reading.opened(iterator)

    def read_failed(self, fault: ReadFault, now: float) -> None:
        """Report that OpenIterator or ReadPage brought nothing."""
        self._reading.failed(fault, now)
        if fault is ReadFault.DENIED:
            self.last_result, self.last_reason = Result.DENIED, fault

    def page_read(self, page: Page, now: float) -> None:
        """Report the page that ReadPage asked for."""
        asked_at = self._reading.asked_at
        self._reading.read(page, now)
        self._checkpoint.read(record.sequence for record in page.records)
        filtered = []
        for record in page.records:
            if self._filter.passes(record):
                lane = self._lanes[lane_of(record.partition_key, len(self._lanes))]
                lane.add(self._encoder.encode(record), now)
            else:
                filtered.append(record.sequence)
        self._checkpoint.finish(filtered)
        self._measure(Metric.POLLED, len(page.records))
        if filtered:
            self._measure(Metric.FILTERED_OUT, len(filtered))
        if not page.records and page.behind_ms == 0 and self.open_count == 0:
            self.caught_up_at = asked_at

    def answered(self, number: int, answer: Answer, now: float) -> None:
        """Report the function's answer to Invoke."""
        lane = self._lanes[number]
        lane.busy = False
        batch = lane.work[0]
        outcome = read_outcome(
            answer,
            [record.sequence for record in batch.records],
            reports_item_failures=self.settings.reports_item_failures,
        )
        self._measure_invocation(batch, now, failed=outcome.reason is not None)
        self._finish(batch.records[: outcome.done])
        self.done_count += outcome.done
        left = left_after(batch, outcome, bisects=self.settings.bisects)
        lane.put_first(left)
        if outcome.reason is None:
            self.last_result, self.last_reason = Result.OK, None
            lane.failures, lane.not_before = 0, now
            return
        self.last_result, self.last_reason = Result.FAILED, outcome.reason
        lane.failures = 1 if outcome.done or len(left) > 1 else lane.failures + 1
        lane.not_before = now if len(left) > 1 else now + self._pace.backoff_s(lane.failures)
        if is_exhausted(left[0], self.settings):
            lane.put_first(())
            self._give_up(lane, left[0], Condition.RETRIES, now)

    def not_invoked(self, number: int, reason: str, now: float) -> None:
        """Report that Invoke did not reach the function: a throttle, say. That is no attempt."""
        lane = self._lanes[number]
        lane.busy = False
        lane.failures += 1
        lane.not_before = now + self._pace.backoff_s(lane.failures)
        self._measure_invocation(lane.work[0], now, failed=True)
        self.last_result, self.last_reason = Result.THROTTLED, reason

    def delivered(self, number: int, now: float, *, failure: str | None = None) -> None:
        """Report that Deliver has reached the destination, or why it has not."""
        lane = self._lanes[number]
        lane.busy = False
        if lane.discard is None:
            raise ValueError(f"lane {number} delivers nothing")
        records = lane.discard.records
        if failure is not None:
            self._measure(Metric.DELIVERY_FAILURES, 1)
            lane.failures += 1
            self.last_reason = f"the destination refused: {failure}"
            if lane.failures < DELIVERY_ATTEMPTS:
                lane.not_before = now + self._pace.backoff_s(lane.failures)
                return
            self._measure(Metric.DROPPED, len(records))
        else:
            self._measure(Metric.DELIVERED, len(records))
        lane.discard, lane.failures, lane.not_before = None, 0, now
        self._finish(records)

    # How it decides.

    def _lane_effect(self, number: int, lane: Lane, now: float) -> Effect | None:
        while lane.discard is None:
            batch = lane.head(now, closing=self._reading.ended)
            if batch is None:
                return None
            if self._take_old(lane, batch, now):
                continue
            lane.busy = True
            return Invoke(number, batch)
        lane.busy = True
        return Deliver(number, lane.discard)

    def _take_old(self, lane: Lane, batch: Batch, now: float) -> bool:
        """Take records from the batch in hand that are too old to be tried; tell if it changed."""
        if self.retention_s != inf:
            lost, parts = split_by_age(batch, now - self.retention_s)
            if lost or len(parts) != 1:
                lane.put_first(parts)
                self.lost_count += len(lost)
                self._finish(lost)
                return True
        if self.settings.record_age_s == FOR_EVER:
            return False
        old, parts = split_by_age(batch, now - self.settings.record_age_s)
        if not old and len(parts) == 1:
            return False
        lane.put_first(parts)
        if old:
            given_up = Batch(old, batch.failures, batch.outcome)
            self._give_up(lane, given_up, Condition.AGE, now)
        return True

    def _give_up(self, lane: Lane, batch: Batch, condition: Condition, now: float) -> None:
        """Send the batch to the destination; without one it is dropped, as in AWS."""
        discard = Discard(
            self.shard_id, batch.records, condition, batch.failures, now, batch.outcome
        )
        self._discards.append(discard)
        self.discarded_count += len(batch.records)
        lane.failures, lane.not_before = 0, now
        if self.settings.destination_arn is None:
            self._measure(Metric.DROPPED, len(batch.records))
            self._finish(batch.records)
        else:
            lane.discard = discard

    def _wants_page(self) -> bool:
        if self._reading.under_way or self._reading.ended:
            return False
        if not any(lane.is_hungry() for lane in self._lanes):
            return False
        if sum(lane.waiting_bytes for lane in self._lanes) >= _READ_AHEAD_BYTES:
            return False
        ahead = max(_READ_AHEAD, 2 * self.settings.batch_size * len(self._lanes))
        return sum(len(lane.waiting) for lane in self._lanes) < ahead

    def _finish(self, records: Sequence[EncodedRecord]) -> None:
        self._checkpoint.finish(record.sequence for record in records)

    def _measure_invocation(self, batch: Batch, now: float, *, failed: bool) -> None:
        self._measure(Metric.INVOKED, len(batch.records))
        if failed:
            self._measure(Metric.FAILED_INVOKE, len(batch.records))
        self._measure(Metric.ITERATOR_AGE, max(0.0, (now - batch.last.arrival) * 1000))

    def _measure(self, metric: Metric, value: float) -> None:
        self._measures.append(Measure(metric, value))
