"""What a prefix of a batch becomes: raw object, quarantine object, commit row."""

from base64 import b64encode
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from ingest.domain.deduplication import EventLine, Prefix, RejectedOutcome
from millrace import keys
from millrace.commit import (
    Commit,
    CommitBody,
    CommitCounts,
    CommitHead,
    EventSpan,
    ShardKey,
    SourceStats,
)
from millrace.lag import histogram
from millrace.raw_lines import PackedLines, pack
from millrace.times import format_ms, from_epoch_ms, to_epoch_ms


@dataclass(frozen=True, slots=True)
class Attempt:
    """What makes one try at a commit its own: its name on objects, its time, its request."""

    unique: str
    at: datetime
    correlation_id: str


@dataclass(frozen=True, slots=True)
class PreparedCommit:
    """A commit row and the objects that must exist before it does."""

    commit: Commit
    raw: PackedLines
    quarantine: bytes


def prepare(
    shard: ShardKey, prefix: Prefix, attempt: Attempt, behind_ms: Mapping[int, int]
) -> PreparedCommit:
    """Return everything that committing `prefix` (at least one record) writes.

    behind_ms: of the late lines, by their numbers.
    """
    raw = pack([line.event.line for line in prefix.lines])
    quarantine = pack([_quarantine_line(shard, each) for each in prefix.rejected]).body
    entries = tuple(
        replace(line.entry, behind_ms=behind_ms.get(number, 0))
        for number, line in enumerate(prefix.lines)
    )
    head = _head(shard, prefix, attempt, len(raw.body))
    return PreparedCommit(
        Commit(head, CommitBody(raw.members, entries, _stats(prefix.lines, behind_ms.keys()))),
        raw,
        quarantine,
    )


def _head(shard: ShardKey, prefix: Prefix, attempt: Attempt, raw_bytes: int) -> CommitHead:
    first, last = prefix.records[0].record, prefix.records[-1].record
    arrivals = [each.record.arrival_ms for each in prefix.records]
    first_arrival = from_epoch_ms(min(arrivals))
    place = (first_arrival, shard.shard_id, str(first.seq), attempt.unique)
    return CommitHead(
        shard=shard,
        first_seq=first.seq,
        last_seq=last.seq,
        counts=_counts(prefix),
        first_arrival=first_arrival,
        last_arrival=from_epoch_ms(max(arrivals)),
        committed_at=attempt.at,
        correlation_id=attempt.correlation_id,
        raw_key=keys.raw_key(*place) if prefix.lines else None,
        raw_bytes=raw_bytes,
        quarantine_key=keys.quarantine_key(*place) if prefix.rejected else None,
        event_span=_span(prefix.lines),
    )


def _span(lines: Sequence[EventLine]) -> EventSpan | None:
    """Return the span of all lines, duplicates too: too wide costs a wait, too narrow an event."""
    times = [line.event.event_time for line in lines]
    return EventSpan(min(times), max(times)) if times else None


def _counts(prefix: Prefix) -> CommitCounts:
    duplicates = [line.entry for line in prefix.lines if line.entry.duplicate_of is not None]
    return CommitCounts(
        accepted=len(prefix.lines) - len(duplicates),
        duplicates=len(duplicates),
        conflicts=sum(entry.conflict for entry in duplicates),
        quarantined=len(prefix.rejected),
    )


def _stats(lines: Sequence[EventLine], late_lines: Set[int]) -> tuple[SourceStats, ...]:
    groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for number, line in enumerate(lines):
        groups[line.event.source, line.event.fields.event_type].append(number)
    return tuple(
        _stats_of(*kind, [lines[number] for number in numbers], len(late_lines & set(numbers)))
        for kind, numbers in sorted(groups.items())
    )


def _stats_of(source: str, event_type: str, lines: Sequence[EventLine], late: int) -> SourceStats:
    duplicates = sum(line.entry.duplicate_of is not None for line in lines)
    return SourceStats(
        source=source,
        event_type=event_type,
        accepted=len(lines) - duplicates,
        duplicates=duplicates,
        conflicts=sum(line.entry.conflict for line in lines),
        late=late,
        line_bytes=sum(len(line.event.line) for line in lines),
        lag=histogram(line.entry.arrival_ms - to_epoch_ms(line.event.event_time) for line in lines),
    )


def _quarantine_line(shard: ShardKey, rejected: RejectedOutcome) -> bytes:
    record, outcome = rejected.judged.record, rejected.outcome
    reason = outcome.rejection
    return orjson.dumps(
        {
            "reason": reason.reason if reason else None,
            "message": reason.message if reason else None,
            "shard": str(shard),
            "sequence": str(record.seq),
            "position": outcome.position,
            "arrival_time": format_ms(from_epoch_ms(record.arrival_ms)),
            "bytes_base64": b64encode(outcome.data).decode(),
        }
    )
