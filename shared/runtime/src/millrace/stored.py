"""Where an event lies: its line in a commit, and the one gzip member to read it from."""

from dataclasses import dataclass
from datetime import datetime

from millrace.commit import Commit, CommittedLine, Owner
from millrace.errors import MillraceError
from millrace.raw_lines import member_of, unpack
from millrace.times import from_epoch_ms


class LineMissing(MillraceError):
    """The ledger or the raw object has no such line, though something says it should."""


@dataclass(frozen=True, slots=True)
class RawPlace:
    """One event's bytes: `length` bytes from `offset` are a gzip file of some lines."""

    key: str
    offset: int
    length: int
    line_in_member: int


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event as it was sent, and what the ledger knows of it."""

    raw: bytes
    """One line of JSON, without a line end."""
    entry: CommittedLine
    line: int
    commit_id: str
    committed_at: datetime
    correlation_id: str
    owner: Owner
    place: RawPlace

    @property
    def arrival_time(self) -> datetime:
        """When Kinesis received the record."""
        return from_epoch_ms(self.entry.arrival_ms)


def line_at(commit: Commit, seq: int, position: int) -> int:
    """Return the line of a commit that came from this place in the stream.

    Raises:
        LineMissing: no event came from there.
    """
    for number, line in enumerate(commit.body.lines):
        if (line.seq, line.position) == (seq, position):
            return number
    raise LineMissing(
        f"commit {commit.head.commit_id} has no event from record {seq}, position {position}"
    )


def raw_place(commit: Commit, line: int) -> RawPlace:
    """Return where line number `line` of a commit is to be read.

    Raises:
        LineMissing: the commit has no such line.
    """
    if commit.head.raw_key is None or not 0 <= line < len(commit.body.lines):
        raise LineMissing(f"commit {commit.head.commit_id} has no line {line}")
    member = member_of(commit.body.members, line)
    return RawPlace(commit.head.raw_key, member.offset, member.length, line - member.first_line)


def stored_event(commit: Commit, line: int, place: RawPlace, member: bytes) -> StoredEvent:
    """Return the event in the bytes of its member.

    Raises:
        LineMissing: the member holds fewer lines than the ledger says.
    """
    lines = unpack(member)
    if place.line_in_member >= len(lines):
        raise LineMissing(f"{place.key} at {place.offset} has {len(lines)} lines; no line {line}")
    head, entry = commit.head, commit.body.lines[line]
    return StoredEvent(
        raw=lines[place.line_in_member],
        entry=entry,
        line=line,
        commit_id=head.commit_id,
        committed_at=head.committed_at,
        correlation_id=head.correlation_id,
        owner=Owner(str(head.shard), entry.seq, entry.position),
        place=place,
    )
