"""The ledger's values as DynamoDB items; keys of the commits table are built here alone.

A commit row is two items written in one transaction: the head (counts, keys, marks) under the
shard, and the body (line table) under `<shard>#lines`. A mark then costs one write unit instead
of the size of the line table, since an update is charged by the whole item:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

import json  # not orjson: differences of sequence numbers exceed 64 bits
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, SupportsBytes, SupportsInt

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from millrace.commit import (
    SEQ_DIGITS,
    Checkpoint,
    Commit,
    CommitBody,
    CommitCounts,
    CommitHead,
    CommittedLine,
    EventSpan,
    Owner,
    ShardKey,
    SourceStats,
    Stage,
    padded,
)
from millrace.raw_lines import Member
from millrace.times import format_ms, from_epoch_ms, parse_rfc3339, to_epoch_ms

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]

CHECKPOINT_SK = "checkpoint"
PENDING_BUCKET = "pending"  # the partition of the unfinished index for checkpoints that wait
HIGHEST_SEQ = 10**SEQ_DIGITS - 1
UNFINISHED_BUCKETS = 4  # so that the sparse index is not one hot partition

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def to_attributes(fields: Mapping[str, Any]) -> "Item":
    """Return plain values as DynamoDB attributes; None is left out."""
    return {k: _serializer.serialize(v) for k, v in fields.items() if v is not None}


def from_attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain values of an item; numbers come as Decimal, binaries as Binary."""
    return {name: _deserializer.deserialize(value) for name, value in item.items()}


def head_key(shard: ShardKey, first_seq: int) -> "Item":
    """Return the key of a commit's head."""
    return to_attributes({"shard": str(shard), "seq": padded(first_seq)})


def body_key(shard: ShardKey, first_seq: int) -> "Item":
    """Return the key of a commit's body."""
    return to_attributes({"shard": lines_partition(shard), "seq": padded(first_seq)})


def lines_partition(shard: ShardKey) -> str:
    """Return the partition of a shard's bodies."""
    return f"{shard}#lines"


def first_seq_of(item: Mapping[str, Any]) -> int:
    """Return the sequence number in the key of a head or a body."""
    return int(from_attributes({"seq": item["seq"]})["seq"])


def checkpoint_key(shard: ShardKey) -> "Item":
    """Return the key of a shard's checkpoint."""
    return to_attributes({"shard": str(shard), "seq": CHECKPOINT_SK})


def unfinished_bucket(commit_id: str) -> str:
    """Return the partition of the unfinished index in which a commit waits."""
    return f"u{blake2b(commit_id.encode(), digest_size=1).digest()[0] % UNFINISHED_BUCKETS}"


def all_unfinished_buckets() -> list[str]:
    """Return every partition of the unfinished index."""
    return [f"u{number}" for number in range(UNFINISHED_BUCKETS)]


def head_item(head: CommitHead) -> "Item":
    """Return the item of a new commit's head."""
    counts = head.counts
    fields = {
        "last_seq": padded(head.last_seq),
        "commit_id": head.commit_id,
        "raw_key": head.raw_key,
        "raw_bytes": head.raw_bytes,
        "received": counts.received,
        "accepted": counts.accepted,
        "duplicates": counts.duplicates,
        "conflicts": counts.conflicts,
        "quarantined": counts.quarantined,
        "quarantine_key": head.quarantine_key,
        "first_arrival": format_ms(head.first_arrival),
        "last_arrival": format_ms(head.last_arrival),
        "committed_at": format_ms(head.committed_at),
        "correlation_id": head.correlation_id,
        "event_span_ms": _span_ms(head.event_span),
        "unfinished": None if head.finished else unfinished_bucket(head.commit_id),
    }
    return head_key(head.shard, head.first_seq) | to_attributes(fields)


def head_of(item: Mapping[str, Any]) -> CommitHead:
    """Return the head in an item."""
    row = from_attributes(item)
    return CommitHead(
        shard=ShardKey.parse(row["shard"]),
        first_seq=int(row["seq"]),
        last_seq=int(row["last_seq"]),
        counts=CommitCounts(
            accepted=int(row["accepted"]),
            duplicates=int(row["duplicates"]),
            conflicts=int(row["conflicts"]),
            quarantined=int(row["quarantined"]),
        ),
        first_arrival=parse_rfc3339(row["first_arrival"]),
        last_arrival=parse_rfc3339(row["last_arrival"]),
        committed_at=parse_rfc3339(row["committed_at"]),
        correlation_id=row["correlation_id"],
        raw_key=row.get("raw_key"),
        raw_bytes=int(row["raw_bytes"]),
        quarantine_key=row.get("quarantine_key"),
        marks={stage: row[stage.value] for stage in Stage if stage.value in row},
        event_span=_span_of(row.get("event_span_ms")),
    )


def _span_ms(span: EventSpan | None) -> list[int] | None:
    """Return two numbers: nine bytes each, where every mark pays for the size of the head."""
    return None if span is None else [to_epoch_ms(span.first), to_epoch_ms(span.last)]


def _span_of(ms: Sequence[SupportsInt] | None) -> EventSpan | None:
    return None if ms is None else EventSpan(*(from_epoch_ms(int(each)) for each in ms))


def body_item(commit: Commit) -> "Item":
    """Return the item of a new commit's body."""
    body = commit.body
    members = [[m.offset, m.length, m.first_line, m.lines] for m in body.members]
    stats = [_stats_fields(each) for each in body.stats]
    fields = {
        "members": _packed(members),
        "lines": _packed(_line_columns(body.lines)),
        "stats": _packed(stats),
    }
    return body_key(commit.head.shard, commit.head.first_seq) | to_attributes(fields)


def body_of(item: Mapping[str, Any]) -> CommitBody:
    """Return the body in an item; what the item was read without is empty."""
    row = from_attributes(item)
    return CommitBody(
        members=tuple(Member(*fields) for fields in _unpacked(row["members"]))
        if "members" in row
        else (),
        lines=_lines_of(_unpacked(row["lines"])) if "lines" in row else (),
        stats=tuple(_stats_of(fields) for fields in _unpacked(row["stats"])),
    )


def _stats_fields(stats: SourceStats) -> dict[str, Any]:
    return asdict(stats) | {"lag": list(stats.lag.items())}


def _stats_of(fields: dict[str, Any]) -> SourceStats:
    return SourceStats(**fields | {"lag": dict(fields["lag"])})


def checkpoint_of(item: Mapping[str, Any]) -> Checkpoint:
    """Return the checkpoint in an item."""
    row = from_attributes(item)
    return Checkpoint(
        version=int(row["version"]),
        committed_seq=int(row["committed_seq"]),
        pending=tuple(row["pending"]),
        highest_ms={source: int(ms) for source, ms in row["highest_ms"].items()},
    )


def _line_columns(lines: tuple[CommittedLine, ...]) -> dict[str, Any]:
    """Columns of differences compress to a few bytes a line, and so do runs of duplicates."""
    numbered = [(n, line, line.duplicate_of) for n, line in enumerate(lines)]
    duplicates = [(n, line.conflict, owner) for n, line, owner in numbered if owner is not None]
    shards = sorted({owner.shard for _, _, owner in duplicates})
    return {
        "seq": _differences([line.seq for line in lines]),
        "pos": _differences([line.position for line in lines]),
        "arrival": _differences([line.arrival_ms for line in lines]),
        "shards": shards,
        "dup_line": _differences([number for number, _, _ in duplicates]),
        "dup_conflict": [int(conflict) for _, conflict, _ in duplicates],
        "dup_shard": [shards.index(owner.shard) for _, _, owner in duplicates],
        "dup_seq": _differences([owner.seq for _, _, owner in duplicates]),
        "dup_pos": _differences([owner.position for _, _, owner in duplicates]),
        "late_line": _differences([number for number, line, _ in numbered if line.behind_ms]),
        "late_by": [line.behind_ms for line in lines if line.behind_ms],
    }


def _lines_of(columns: Mapping[str, Any]) -> tuple[CommittedLine, ...]:
    owners = (
        Owner(columns["shards"][shard], seq, position)
        for shard, seq, position in zip(
            columns["dup_shard"], _sums(columns["dup_seq"]), _sums(columns["dup_pos"]), strict=True
        )
    )
    flags = zip(owners, map(bool, columns["dup_conflict"]), strict=True)
    duplicates = dict(zip(_sums(columns["dup_line"]), flags, strict=True))
    late_lines = _sums(columns.get("late_line", []))  # older rows count late events only
    behind = dict(zip(late_lines, columns.get("late_by", []), strict=True))
    rows = zip(_sums(columns["seq"]), _sums(columns["pos"]), _sums(columns["arrival"]), strict=True)
    return tuple(
        _line(CommittedLine(*row), duplicates.get(number), behind.get(number, 0))
        for number, row in enumerate(rows)
    )


def _line(line: CommittedLine, copy: tuple[Owner, bool] | None, behind_ms: int) -> CommittedLine:
    if copy is None and not behind_ms:
        return line
    owner, conflict = copy or (None, False)
    return replace(line, duplicate_of=owner, conflict=conflict, behind_ms=behind_ms)


def _differences(values: list[int]) -> list[int]:
    return [now - before for before, now in zip([0, *values], values, strict=False)]


def _sums(differences: list[int]) -> list[int]:
    values = []
    total = 0
    for difference in differences:
        total += difference
        values.append(total)
    return values


def _packed(value: object) -> bytes:
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode())


def _unpacked(binary: SupportsBytes) -> Any:  # noqa: ANN401 - typed where they are read
    return json.loads(zlib.decompress(bytes(binary)))
