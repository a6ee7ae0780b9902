"""Checks a run against the promises, from what was seen alone: it knows nothing of the core.

No record is skipped; a key's records stay in order; retries, ages, sizes and windows stay within
their limits; a child shard waits for its parents.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf

from millrace_mapping.core.batching import MAX_PAYLOAD_BYTES
from millrace_mapping.core.discards import Condition, Discard
from millrace_mapping.core.effects import Invoke, Page, ReadFault
from millrace_mapping.core.records import StreamRecord
from millrace_mapping.core.settings import FOR_EVER, MappingSettings
from millrace_mapping.simulation.roles import Attempt
from millrace_mapping.simulation.stream import MemoryStream
from millrace_mapping.simulation.timeline import Timeline, numbers

_SLACK_S = 1e-6
_AGED_S = 600.0  # as long as a destination may be tried for


class Broken(Exception):
    """A promise was not kept."""


@dataclass(slots=True)
class Audit:
    """Watches a world; `finish` says whether everything was accounted for."""

    settings: MappingSettings
    stream: MemoryStream
    passes_filter: Callable[[StreamRecord], bool] = lambda _: True
    since: float = -inf
    """Records that arrived before are not the mapping's business."""
    timeline: Timeline = field(default_factory=Timeline)
    processed: Counter[str] = field(default_factory=Counter)
    invocations: list[tuple[str, ...]] = field(default_factory=list)
    discards: list[Discard] = field(default_factory=list)
    deliveries: list[Discard] = field(default_factory=list)
    resolved: set[str] = field(default_factory=set)
    _shard_of: dict[str, str] = field(default_factory=dict)
    _earlier: dict[str, str | None] = field(default_factory=dict)
    """The record of the same key before each one."""
    _last_of_key: dict[str, str] = field(default_factory=dict)
    _arrival: dict[str, float] = field(default_factory=dict)
    _key: dict[str, str] = field(default_factory=dict)
    _read_at: dict[str, float] = field(default_factory=dict)
    _attempted: set[str] = field(default_factory=set)
    _failures: Counter[str] = field(default_factory=Counter)
    """Complete failures by the batch's last record: whatever is split off is split off in front."""
    _running: dict[str, dict[int, tuple[str, ...]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    _ended: set[str] = field(default_factory=set)
    _aged_at: dict[str, float] = field(default_factory=dict)

    def put(self, shard_id: str, record: StreamRecord) -> None:
        """Note a record on its way in."""
        sequence = record.sequence
        self._shard_of[sequence] = shard_id
        self._arrival[sequence] = record.arrival
        self._key[sequence] = record.partition_key
        self._earlier[sequence] = self._last_of_key.get(record.partition_key)
        self._last_of_key[record.partition_key] = sequence
        if record.arrival < self.since or not self.passes_filter(record):
            self.resolved.add(sequence)

    def began(self, shard_id: str, now: float) -> None:
        """Check that the parents are done with."""
        self.timeline.add(now, shard_id, "read from its start or where it was")
        for shard in self.stream.shards():
            if shard.shard_id == shard_id:
                open_in_parents = [
                    sequence
                    for sequence, owner in self._shard_of.items()
                    if owner in shard.parents and not self._is_resolved(sequence, now)
                ]
                self._check(not open_in_parents, now, "begun before its parents were done")

    def page_read(self, shard_id: str, page: Page, now: float) -> None:
        """Note when each record was read."""
        if page.iterator is None:
            self._ended.add(shard_id)
        if page.records:
            sequences = tuple(record.sequence for record in page.records)
            self._read_at.update(dict.fromkeys(sequences, now))
            self.timeline.add(now, shard_id, "read {}", sequences)

    def invoked(self, shard_id: str, effect: Invoke, now: float) -> None:
        """Check everything that must hold when the function is invoked."""
        records = effect.batch.records
        sequences = tuple(record.sequence for record in records)
        self.timeline.add(now, f"{shard_id}/{effect.lane}", "invoke {}", sequences)
        self.invocations.append(sequences)
        self._check_limits(shard_id, effect, sequences, now)
        self._check_order(sequences, now)
        self._check_window(shard_id, effect, sequences, now)
        self._running[shard_id][effect.lane] = sequences
        self._attempted.update(sequences)

    def answered(self, shard_id: str, effect: Invoke, attempt: Attempt, now: float) -> None:
        """Note what the function has truly done."""
        sequences = self._running[shard_id].pop(effect.lane)
        tail = sequences[-1]
        what = "throttled" if attempt.answer is None else "{} of {} done"
        lane = f"{shard_id}/{effect.lane}"
        self.timeline.add(now, lane, what, attempt.done, len(sequences))
        self.processed.update(sequences[: attempt.done])
        self.resolved.update(sequences[: attempt.done])
        if attempt.answer is None:
            return
        if attempt.done:
            self._failures[tail] = 0
        elif not (self.settings.bisects and len(sequences) > 1):
            self._failures[tail] += 1

    def discarded(self, shard_id: str, discard: Discard, now: float) -> None:
        """Check that the batch was given up neither too early nor too late."""
        sequences = tuple(record.sequence for record in discard.records)
        self.timeline.add(now, shard_id, "give up {}: {}", sequences, discard.condition)
        self.discards.append(discard)
        self.resolved.update(sequences)
        if discard.condition is Condition.RETRIES:
            attempts = self._failures[sequences[-1]]
            self._check(
                self.settings.retries != FOR_EVER and attempts == self.settings.retries + 1,
                now,
                f"given up after {attempts} attempts, with {self.settings.retries} retries",
            )
        else:
            limit = self.settings.record_age_s
            ages = [now - self._arrival[sequence] for sequence in sequences]
            self._check(limit != FOR_EVER and min(ages) > limit, now, f"given up at {min(ages)} s")
            self._aged_at[shard_id] = now

    def delivered(self, shard_id: str, discard: Discard, failure: str | None, now: float) -> None:
        """Note what the destination has received."""
        told = failure or "received"
        first = discard.records[0].sequence
        self.timeline.add(now, "destination", "{} {}: {}", shard_id, first, told)
        if failure is None:
            self.deliveries.append(discard)

    def read_failed(self, shard_id: str, fault: ReadFault, now: float) -> None:
        """Note it."""
        self.timeline.add(now, shard_id, "read: {}", fault)

    def crashed(self, now: float) -> None:
        """Forget what only the process knew."""
        self.timeline.add(now, "mapping", "crashes and starts again")
        self._running.clear()
        self._failures.clear()
        self._attempted.clear()
        self._read_at.clear()
        self._ended.clear()

    def finish(self, now: float) -> None:
        """Check that no record was skipped."""
        skipped = [s for s in self._shard_of if not self._is_resolved(s, now)]
        self._check(not skipped, now, f"skipped: {numbers(skipped)}")
        unwanted = [
            record.sequence
            for _, record in self.stream.records()
            if record.sequence in self.processed and not self.passes_filter(record)
        ]
        self._check(not unwanted, now, f"not filtered out: {numbers(unwanted)}")

    def _check_limits(
        self, shard_id: str, effect: Invoke, sequences: tuple[str, ...], now: float
    ) -> None:
        settings, records = self.settings, effect.batch.records
        self._check(0 < len(records) <= settings.batch_size, now, f"{len(records)} in a batch")
        size = sum(len(record.json) + 1 for record in records)
        self._check(size <= MAX_PAYLOAD_BYTES or len(records) == 1, now, f"{size} bytes")
        running = self._running[shard_id]
        self._check(effect.lane not in running, now, "two batches in one lane")
        self._check(len(running) < settings.parallelization, now, "too many at once")
        keys = {self._key[sequence] for sequence in sequences}
        others = {self._key[each] for batch in running.values() for each in batch}
        self._check(not keys & others, now, f"keys in two batches at once: {keys & others}")
        if settings.record_age_s != FOR_EVER:
            oldest = max(now - self._arrival[sequence] for sequence in sequences)
            self._check(oldest <= settings.record_age_s + _SLACK_S, now, f"{oldest} s old")
        if settings.retries != FOR_EVER:
            failures = self._failures[sequences[-1]]
            self._check(failures <= settings.retries, now, f"tried after {failures} failures")

    def _check_order(self, sequences: tuple[str, ...], now: float) -> None:
        before: set[str] = set()
        for sequence in sequences:
            earlier = self._earlier[sequence]
            in_order = earlier is None or earlier in before or self._is_resolved(earlier, now)
            self._check(in_order, now, f"{sequence} before {earlier} of the same key")
            before.add(sequence)

    def _check_window(
        self, shard_id: str, effect: Invoke, sequences: tuple[str, ...], now: float
    ) -> None:
        if self._attempted.intersection(sequences) or shard_id in self._ended:
            return
        if now > self.stream.retention_s or now - self._aged_at.get(shard_id, -inf) < _AGED_S:
            return  # what is left of a batch whose window had passed
        if len(sequences) == self.settings.batch_size:
            return
        size = sum(len(record.json) + 1 for record in effect.batch.records)
        waited = now - self._read_at[sequences[0]]
        is_due = waited >= self.settings.window_s - _SLACK_S
        self._check(is_due or size > MAX_PAYLOAD_BYTES / 2, now, f"window open, {waited} s")

    def _is_resolved(self, sequence: str, now: float) -> bool:
        if sequence in self.resolved:
            return True
        return now - self._arrival[sequence] > self.stream.retention_s

    def _check(self, holds: bool, now: float, problem: str) -> None:
        if not holds:
            self.timeline.add(now, "AUDIT", problem)
            raise Broken(problem)

    def report(self) -> Iterator[str]:
        """Yield the lines of the timeline."""
        return self.timeline.lines()
