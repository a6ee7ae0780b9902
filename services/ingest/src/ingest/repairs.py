"""Discarded batches: their records from wherever they can be had, and what a repair makes of them.

Any number of calls, killed anywhere, come to the same end: commit rows say what is done.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from ingest.domain.lambda_records import stream_records
from ingest.domain.records import JudgedRecord, Outcome, StreamRecord, judge
from ingest.ports import HasTime, StreamRange, always
from ingest.service import BatchResult, Ingest
from millrace.clock import Clock
from millrace.commit import SeqRange
from millrace.discarded.abandoning import AbandonedRanges
from millrace.discarded.batch import DiscardedBatch, State
from millrace.discarded.deadline import Source
from millrace.discarded.notice import payload_records
from millrace.discarded.ports import Abandonments, DiscardedBatches
from millrace.discarded.request import Action, DiscardedAnswer, DiscardedRequest
from millrace.errors import ObjectMissing
from millrace.ports import Objects
from millrace.times import format_ms, from_epoch_ms

_SHOWN_CHARACTERS = 2000
"""Of one part of a record: 200 records stay far below Lambda's 6 MB."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """An answer, and the result that metrics are made of; None if nothing was attempted."""

    answer: DiscardedAnswer
    result: BatchResult | None = None
    delivered: int = 0


@dataclass(frozen=True, slots=True)
class _Fetched:
    records: Sequence[StreamRecord]
    source: Source


@dataclass(frozen=True, slots=True)
class Repairs:
    """The use case, over its ports."""

    ingest: Ingest
    discards: DiscardedBatches
    abandonments: Abandonments
    payloads: Objects
    stream: StreamRange
    incarnation: str
    """Of the stream that `stream` reads: it holds nothing of the one before."""
    clock: Clock
    horizon: timedelta
    """How long the gate knows an event from its arrival."""

    def run(
        self,
        request: DiscardedRequest,
        correlation_id: str,
        has_time: HasTime = always,
    ) -> Repaired:
        """Do what is asked for, as far as time goes.

        Raises:
            ConfigError, RetryableError: the batch or its records cannot be read; a RetryableError
                of the commit itself is in the answer.
        """
        batch = self.discards.find(request.shard, request.within)
        if batch is None:
            return _refusal(f"no batch of {request.shard.shard_id} with this range was discarded")
        fetched = self._fetched(batch)
        answer = self._seen(batch, fetched)
        if request.action is Action.SHOW:
            return Repaired(replace(answer, shown=self._shown(fetched.records[: request.limit])))
        if refusal := self._refusal(batch, fetched):
            return Repaired(replace(answer, refused=refusal))
        if request.action is Action.PREVIEW:
            return Repaired(self._previewed(batch, fetched, answer))
        return self._repaired(batch, fetched, answer, correlation_id, has_time)

    def _refusal(self, batch: DiscardedBatch, fetched: _Fetched) -> str:
        if batch.state is State.ABANDONED:
            return "it was abandoned: its events may have been sent again, so it stays so"
        if batch.state is State.REPAIRED:
            return ""  # answered as done: all of it is covered
        if batch.first_arrival + self.horizon <= self.clock.now():
            return (
                f"it arrived at {format_ms(batch.first_arrival)}: events are known for "
                f"{self.horizon.days} days, so what was sent again could count twice; abandon it"
            )
        if not fetched.records:
            return "neither its payload nor the stream holds its records any more; abandon it"
        return ""

    def _fetched(self, batch: DiscardedBatch) -> _Fetched:
        if batch.payload_key is not None:
            try:
                records = stream_records(payload_records(self.payloads.get(batch.payload_key)))
            except ObjectMissing:
                pass  # its lifecycle removed it: the stream may keep records for longer
            else:
                return _Fetched(_within(records, batch.range), Source.PAYLOAD)
        if batch.shard.incarnation != self.incarnation:
            return _Fetched((), Source.NOWHERE)
        held = self.stream.records(batch.shard.shard_id, batch.range)
        return _Fetched(held, Source.STREAM if held else Source.NOWHERE)

    def _seen(self, batch: DiscardedBatch, fetched: _Fetched) -> DiscardedAnswer:
        covered = self.ingest.checkpoints.covered(batch.shard, batch.range)
        gone = AbandonedRanges(self.abandonments.abandoned()).of(str(batch.shard))
        in_commits = _count_in(fetched.records, covered)
        abandoned = _count_in(fetched.records, gone)
        return DiscardedAnswer(
            source=fetched.source.value,
            records=len(fetched.records),
            missing=max(0, batch.records - len(fetched.records)),
            covered=in_commits,
            abandoned=abandoned,
            to_commit=len(fetched.records) - in_commits - abandoned,
        )

    def _previewed(
        self, batch: DiscardedBatch, fetched: _Fetched, answer: DiscardedAnswer
    ) -> DiscardedAnswer:
        """Return how many events and rejects a repair would offer; the gate is not asked."""
        covered = self.ingest.checkpoints.covered(batch.shard, batch.range)
        left = [each for each in fetched.records if not _count_in([each], covered)]
        parts = [part for each in left for part in self._judged(each).outcomes]
        rejected = sum(part.rejection is not None for part in parts)
        return replace(answer, accepted=len(parts) - rejected, quarantined=rejected)

    def _repaired(
        self,
        batch: DiscardedBatch,
        fetched: _Fetched,
        answer: DiscardedAnswer,
        correlation_id: str,
        has_time: HasTime,
    ) -> Repaired:
        if not answer.to_commit:
            result = BatchResult()
        else:
            result = self.ingest.repair(batch.shard, fetched.records, correlation_id, has_time)
        done = result.retry_from is None
        if done and not answer.missing and batch.state is State.OPEN:
            self.discards.close_repaired(batch, self.clock.now())
        counts = result.counts
        answer = replace(
            answer,
            committed=result.committed,
            accepted=counts.accepted,
            duplicates=counts.duplicates,
            quarantined=counts.quarantined,
            done=done,
            error=result.error,
        )
        return Repaired(answer, result, len(fetched.records))

    def _judged(self, record: StreamRecord) -> JudgedRecord:
        return judge(record, self.ingest.limits)

    def _shown(self, records: Sequence[StreamRecord]) -> list[dict[str, Any]]:
        return [
            {
                "sequence": str(record.seq),
                "arrival": format_ms(from_epoch_ms(record.arrival_ms)),
                "parts": [_part(outcome) for outcome in self._judged(record).outcomes],
            }
            for record in records
        ]


def _part(outcome: Outcome) -> dict[str, Any]:
    """Return one event of a record as people read it."""
    rejection = outcome.rejection
    text = outcome.data.decode(errors="backslashreplace")
    return {
        "position": outcome.position,
        "rejected": None if rejection is None else str(rejection.reason),
        "data": text[:_SHOWN_CHARACTERS],
        "cut": len(text) > _SHOWN_CHARACTERS,
    }


def _within(records: Sequence[StreamRecord], within: SeqRange) -> list[StreamRecord]:
    return [each for each in records if within.first <= each.seq <= within.last]


def _count_in(records: Sequence[StreamRecord], ranges: Sequence[SeqRange]) -> int:
    return sum(any(each.first <= record.seq <= each.last for each in ranges) for record in records)


def _refusal(why: str) -> Repaired:
    return Repaired(DiscardedAnswer(refused=why))
