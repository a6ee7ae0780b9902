"""What became of one record of the stream: its events, and what of it was quarantined."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from millrace.commit import Commit, CommitHead, ShardKey
from millrace.errors import ObjectMissing
from millrace.investigate.errors import NotFound
from millrace.investigate.lines import LineOfCommit, read_lines
from millrace.investigate.ports import Bodies, CommitHeads, Marks
from millrace.quarantine.marks import CommitKey, Mark, State
from millrace.quarantine.record import QuarantinedRecord, records_of
from millrace.times import format_ms


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One rejected part of a record, and what was done about it."""

    record: QuarantinedRecord
    mark: Mark | None

    def as_json(self) -> dict[str, Any]:
        """Return the part for JSON; its bytes as text too, where they are."""
        record, mark = self.record, self.mark
        try:
            text: str | None = record.data.decode()
        except UnicodeDecodeError:
            text = None
        return {
            "reason": record.reason, "message": record.message,
            "position": record.place.position, "arrival_time": format_ms(record.arrival),
            "source": record.traits.source, "bytes": len(record.data),
            "bytes_hex": record.data.hex(), "text": text,
            "state": mark.state if mark else State.OPEN,
            "by": mark.who if mark else None, "at": format_ms(mark.at) if mark else None,
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
    marks: Marks

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
            body = self.objects.get(head.quarantine_key)
            found = [each for each in records_of(head, body) if each.place.seq == seq]
            if found:
                key = CommitKey(head.shard, head.first_seq)
                marks = self.marks.read([key])[key]
                yield from (Quarantined(each, marks.mark_of(each.line)) for each in found)


def _event_fields(line: LineOfCommit) -> dict[str, Any]:
    owner = line.entry.duplicate_of
    return {
        "event_id": line.event.event_id, "source": line.event.source,
        "entity_id": line.event.fields.entity_id, "position": line.entry.position,
        "line": line.number, "duplicate_of": None if owner is None else str(owner),
        "conflict": line.entry.conflict,
    }  # fmt: skip
