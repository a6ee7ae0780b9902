"""Stream records and the verdict on each of the events inside them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest.domain.decoding import Part, decode
from millrace.commit import Owner, SeqRange, ShardKey
from millrace.errors import RejectedRecord
from millrace.event import Event, EventLimits, judge_event
from millrace.times import from_epoch_ms


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One Kinesis record: the unit of success, whatever number of events it holds."""

    seq: int
    arrival_ms: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """One event of a record, or the reason why it is none. Exactly one of the two is set."""

    position: int
    data: bytes
    event: Event | None = None
    rejection: RejectedRecord | None = None


@dataclass(frozen=True, slots=True)
class JudgedRecord:
    """A record with a verdict on everything in it, in order of position."""

    record: StreamRecord
    outcomes: tuple[Outcome, ...]


def judge(record: StreamRecord, limits: EventLimits) -> JudgedRecord:
    """Return the verdicts on `record`; they depend on its bytes and its arrival alone."""
    arrival = from_epoch_ms(record.arrival_ms)
    parts = decode(record.data, limits.max_event_bytes)
    return JudgedRecord(record, tuple(_outcome(part, arrival, limits) for part in parts))


def _outcome(part: Part, arrival: datetime, limits: EventLimits) -> Outcome:
    if part.rejection is not None:
        return Outcome(part.position, part.data, rejection=part.rejection)
    try:
        event = judge_event(part.data, arrival, limits)
    except RejectedRecord as rejection:
        return Outcome(part.position, part.data, rejection=rejection)
    return Outcome(part.position, part.data, event=event)


def chunks(records: Iterable[JudgedRecord], max_outcomes: int) -> Iterator[list[JudgedRecord]]:
    """Yield `records` in order, cut between records so that no commit row outgrows its item.

    Takes no more of `records` than it yields, so that a large batch is decoded chunk by chunk.

    A record that alone holds more than `max_outcomes` makes a chunk of its own.
    """
    chunk: list[JudgedRecord] = []
    size = 0
    for each in records:
        if chunk and size + len(each.outcomes) > max_outcomes:
            yield chunk
            chunk, size = [], 0
        chunk.append(each)
        size += len(each.outcomes)
    if chunk:
        yield chunk


def uncovered_runs(
    records: Sequence[StreamRecord], covered: Sequence[SeqRange]
) -> list[list[StreamRecord]]:
    """Return the records in no range of `covered`, one list for each gap between the ranges."""
    runs: dict[int, list[StreamRecord]] = {}
    for record in records:
        passed = sum(each.last < record.seq for each in covered)
        if passed < len(covered) and covered[passed].first <= record.seq:
            continue
        runs.setdefault(passed, []).append(record)
    return list(runs.values())


def owner_of(shard: ShardKey, judged: JudgedRecord, outcome: Outcome) -> Owner:
    """Return the one place of an event."""
    return Owner(str(shard), judged.record.seq, outcome.position)
