"""What became of one record of the stream: its events, and what of it was quarantined."""

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from millrace.commit import Commit, CommitHead, ShardKey
from millrace.errors import ObjectMissing
from millrace.investigate.errors import NotFound
from millrace.investigate.lines import LineOfCommit, read_lines
from millrace.investigate.ports import Bodies, CommitHeads
from millrace.raw_lines import unpack
from millrace.times import format_ms, parse_rfc3339


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One rejected part of a record."""

    reason: str
    message: str
    shard: str
    sequence: str
    position: int
    arrival_time: datetime
    data: bytes

    @classmethod
    def of(cls, line: bytes) -> "Quarantined":
        """Return what a line of a quarantine object tells."""
        row = orjson.loads(line)
        return cls(
            reason=str(row["reason"]),
            message=str(row["message"]),
            shard=row["shard"],
            sequence=row["sequence"],
            position=int(row["position"]),
            arrival_time=parse_rfc3339(row["arrival_time"]),
            data=b64decode(row["bytes_base64"]),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the part for JSON; its bytes as text too, where they are."""
        try:
            text: str | None = self.data.decode()
        except UnicodeDecodeError:
            text = None
        return {
            "reason": self.reason, "message": self.message, "position": self.position,
            "arrival_time": format_ms(self.arrival_time), "bytes": len(self.data),
            "bytes_hex": self.data.hex(), "text": text,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class RecordBiography:
    """All that one record of the stream held."""

    shard: ShardKey
    seq: int
    head: CommitHead
    events: tuple[LineOfCommit, ...]
    quarantined: tuple[Quarantined, ...]
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the record for JSON."""
        return {
            "shard": str(self.shard),
            "sequence": str(self.seq),
            "commit_id": self.head.commit_id,
            "committed_at": format_ms(self.head.committed_at),
            "raw_key": self.head.raw_key,
            "quarantine_key": self.head.quarantine_key,
            "note": self.note,
            "events": [_event_fields(line) for line in self.events],
            "quarantined": [each.as_json() for each in self.quarantined],
        }


@dataclass(frozen=True, slots=True)
class Records:
    """The use case."""

    ledger: CommitHeads
    objects: Bodies

    def at(self, shard: ShardKey, seq: int) -> RecordBiography:
        """Return what became of the record with this sequence number.

        Raises:
            NotFound: no commit holds it; the message says why that may be.
        """
        head = self.ledger.covering(shard, seq)
        if head is None:
            raise NotFound(
                f"no commit holds record {seq} of {shard}: check the shard and the number; it is "
                "being ingested, or its batch was discarded (`millrace status` tells)"
            )
        commit = self.ledger.load(shard, head.first_seq)
        try:
            events, rejected = tuple(self._events(commit, seq)), tuple(self._rejected(head, seq))
        except ObjectMissing as err:
            return RecordBiography(shard, seq, head, (), (), f"object {err.key} is gone")
        if not events and not rejected:
            raise NotFound(
                f"commit {head.commit_id} reaches over record {seq}, and no record has this number"
            )
        return RecordBiography(shard, seq, head, events, rejected)

    def _events(self, commit: Commit, seq: int) -> Iterator[LineOfCommit]:
        numbers = [n for n, line in enumerate(commit.body.lines) if line.seq == seq]
        return read_lines(self.objects, commit, numbers)

    def _rejected(self, head: CommitHead, seq: int) -> Iterator[Quarantined]:
        if head.quarantine_key is not None:
            for line in unpack(self.objects.get(head.quarantine_key)):
                found = Quarantined.of(line)
                if found.sequence == str(seq):
                    yield found


def _event_fields(line: LineOfCommit) -> dict[str, Any]:
    owner = line.entry.duplicate_of
    return {
        "event_id": line.event.event_id, "source": line.event.source,
        "entity_id": line.event.fields.entity_id, "position": line.entry.position,
        "line": line.number, "duplicate_of": None if owner is None else str(owner),
        "conflict": line.entry.conflict,
    }  # fmt: skip
