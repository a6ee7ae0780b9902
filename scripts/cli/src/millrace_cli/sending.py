"""Sends records in order, retries only the ones that failed, and counts what it did."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tenacity import (
    RetryError,
    Retrying,
    retry_if_result,
    stop_after_delay,
    wait_random_exponential,
)
from tenacity.wait import wait_base

from millrace_cli.errors import CommandError
from millrace_cli.records import MAX_BATCH_RECORDS, OutRecord, batches

GIVE_UP_S = 120.0  # a throttled shard takes 1,000 records/s: 500 records are through in seconds
_RATE_STEPS_PER_S = 4


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a record lies on the stream."""

    shard_id: str
    sequence: int


class EventStream(Protocol):
    """A stream to put records on."""

    def put(self, records: Sequence[OutRecord]) -> Sequence[Placed | str | None]:
        """Put at most one batch; return for each record, in order, its place or its error code.

        None: it was taken, but where it lies is not told (the API does not).

        Raises:
            CommandError: nothing of the batch was taken, and trying again cannot help.
        """
        ...


@dataclass
class Progress:
    """What has been sent so far; readable at any moment, also after an interruption."""

    sent: int = 0
    retried: int = 0
    """Records put again after a failure, each time counted."""
    sent_bytes: int = 0
    batches: int = 0
    event_types: Counter[str] = field(default_factory=Counter)
    last_placed: dict[str, int] = field(default_factory=dict)
    """The highest sequence number on each shard, records of unfinished batches included."""
    listeners: list[Callable[["Progress"], None]] = field(default_factory=list)

    def place(self, placed: Placed) -> None:
        """Remember where a record lies."""
        last = self.last_placed.get(placed.shard_id, placed.sequence)
        self.last_placed[placed.shard_id] = max(last, placed.sequence)

    def advance(self, records: Sequence[OutRecord]) -> None:
        """Count a batch that is wholly on the stream."""
        self.sent += len(records)
        self.sent_bytes += sum(len(record.data) for record in records)
        self.batches += 1
        self.event_types.update(record.event_type for record in records)
        for listener in self.listeners:
            listener(self)


class Pacer:
    """Keeps to a rate of events per second by waiting before a batch that would be early."""

    def __init__(
        self,
        rate: float,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._wait = wait
        self._due = clock()

    @property
    def batch_records(self) -> int:
        """How many events go at once: a quarter of a second's, so that the rate is even."""
        return max(1, min(MAX_BATCH_RECORDS, int(self._rate / _RATE_STEPS_PER_S)))

    def before(self, records: int) -> None:
        """Wait until a batch of so many events is due; time lost is not caught up in a burst."""
        now = self._clock()
        if self._due > now:
            self._wait(self._due - now)
        self._due = max(self._due, now) + records / self._rate


def send(
    records: Iterable[OutRecord],
    stream: EventStream,
    progress: Progress,
    rate: float | None = None,
    *,
    backoff: wait_base | None = None,
    pacer: Pacer | None = None,
) -> None:
    """Put all `records`; `progress` is up to date after each batch.

    pacer: in place of `rate` where several calls keep to one rate together.

    A batch is finished before the next begins, so that only records of one batch can overtake each
    other, and only when Kinesis refuses some of them: PutRecords guarantees no order.
    https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html

    Raises:
        CommandError: records kept failing for two minutes, or the stream cannot be used.
    """
    pacer = Pacer(rate) if rate and pacer is None else pacer
    for batch in batches(records, pacer.batch_records if pacer else MAX_BATCH_RECORDS):
        if pacer:
            pacer.before(len(batch))
        _put_all(batch, stream, progress, backoff or wait_random_exponential(0.1, max=5))
        progress.advance(batch)


def _put_all(
    batch: Sequence[OutRecord], stream: EventStream, progress: Progress, backoff: wait_base
) -> None:
    waiting = list(batch)
    codes: list[str] = []

    def attempt() -> bool:
        nonlocal waiting, codes
        progress.retried += len(waiting) if codes else 0
        answers = stream.put(waiting)
        codes = [answer for answer in answers if isinstance(answer, str)]
        waiting = [
            record
            for record, answer in zip(waiting, answers, strict=True)
            if isinstance(answer, str)
        ]
        for answer in answers:
            if isinstance(answer, Placed):
                progress.place(answer)
        return bool(waiting)

    retrying = Retrying(retry=retry_if_result(bool), stop=stop_after_delay(GIVE_UP_S), wait=backoff)
    try:
        retrying(attempt)
    except RetryError as err:
        raise CommandError(
            f"{len(waiting)} records of a batch still fail after {GIVE_UP_S:.0f} s ({codes[-1]})",
            "the stream is overloaded: add shards, or put with a lower --rate",
        ) from err
