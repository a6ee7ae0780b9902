"""Finding records in quarantine: from commit rows, never by listing objects."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from millrace.commit import CommitHead, ShardKey
from millrace.errors import MillraceError
from millrace.quarantine.marks import CommitKey, CommitMarks, Mark, State
from millrace.quarantine.ports import ArrivedCommits, Bodies, MarkStore
from millrace.quarantine.record import Place, QuarantinedRecord, records_of
from millrace.quarantine.selection import Selection

_HEADS_AT_ONCE = 50
T = TypeVar("T")


class NotInQuarantine(MillraceError):
    """Nothing in quarantine came from that place."""


@dataclass(frozen=True, slots=True)
class Held:
    """One record in quarantine, and the mark that holds it, if one does."""

    record: QuarantinedRecord
    mark: Mark | None

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.mark.state if self.mark else State.OPEN


@dataclass(frozen=True, slots=True)
class HeldCommit:
    """The selected records of one commit, and all marks of it."""

    head: CommitHead
    marks: CommitMarks
    records: tuple[QuarantinedRecord, ...]

    @property
    def held(self) -> Iterator[Held]:
        """Yield the records with their marks."""
        for record in self.records:
            yield Held(record, self.marks.mark_of(record.line))


class Quarantine:
    """All rejected records of one stream."""

    def __init__(
        self, commits: ArrivedCommits, objects: Bodies, marks: MarkStore, incarnation: str
    ) -> None:
        self._incarnation = incarnation
        self._commits = commits
        self._objects = objects
        self._marks = marks

    def heads(self, selection: Selection) -> Iterator[CommitHead]:
        """Yield the commits that arrived in the window, those without rejected records too.

        Where places are named: the commits that hold them.
        """
        if selection.places:
            yield from self._named(selection)
            return
        first_shard, first_seq = selection.after_seq
        for shard in self._commits.shards():
            if shard.shard_id < first_shard:
                continue
            begin = first_seq if shard.shard_id == first_shard else -1
            for head in self._commits.heads(shard, selection.start, begin):
                if head.first_arrival >= selection.end:
                    break
                if head.last_arrival >= selection.start:
                    yield head

    def commits(self, selection: Selection) -> Iterator[HeldCommit]:
        """Yield the commits that hold selected records, in order of shard and sequence.

        One object is read for each commit that may hold one; nothing is read ahead of what is
        asked for but the marks of 50 commits.

        Raises:
            ObjectMissing: a commit names an object that is gone.
        """
        return self.commits_of(self.heads(selection), selection)

    def commits_of(self, heads: Iterable[CommitHead], selection: Selection) -> Iterator[HeldCommit]:
        """Yield those of the commits that hold selected records, as `commits` does."""
        left = selection.limit
        touched = (head for head in heads if selection.touches(head))
        for some in _groups(touched, _HEADS_AT_ONCE):
            marks = self._marks.read([key_of(head) for head in some])
            for head in some:
                if left == 0:
                    return
                found = self._selected(head, marks[key_of(head)], selection, left)
                left = None if left is None else left - len(found.records)
                if found.records:
                    yield found

    def records(self, selection: Selection) -> Iterator[Held]:
        """Yield the selected records, in order of shard and sequence."""
        for commit in self.commits(selection):
            yield from commit.held

    def at(self, place: Place) -> Held:
        """Return the record from one place.

        Raises:
            NotInQuarantine: none came from there.
            ObjectMissing: its object is gone.
        """
        head = self._commits.covering(ShardKey(self._incarnation, place.shard_id), place.seq)
        if head is None:
            raise NotInQuarantine(f"no commit holds record {place.seq} of {place.shard_id}")
        if head.quarantine_key is not None:
            for record in records_of(head, self._objects.get(head.quarantine_key)):
                if record.place == place:
                    key = key_of(head)
                    return Held(record, self._marks.read([key])[key].mark_of(record.line))
        raise NotInQuarantine(f"commit {head.commit_id} rejected nothing that came from {place}")

    def _named(self, selection: Selection) -> Iterator[CommitHead]:
        last: CommitHead | None = None
        for place in sorted(selection.places):
            head = self._commits.covering(ShardKey(self._incarnation, place.shard_id), place.seq)
            if head is not None and (last is None or key_of(head) != key_of(last)):
                yield head
            last = head or last

    def _selected(
        self, head: CommitHead, marks: CommitMarks, selection: Selection, limit: int | None
    ) -> HeldCommit:
        body = self._objects.get(str(head.quarantine_key))
        matching = (
            record
            for record in records_of(head, body)
            if selection.matches(record) and selection.matches_state(marks.state_of(record.line))
        )
        return HeldCommit(head, marks, tuple(islice(matching, limit)))


def key_of(head: CommitHead) -> CommitKey:
    """Return the key of a commit's marks."""
    return CommitKey(head.shard, head.first_seq)


def _groups(values: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(values)
    while group := list(islice(left, size)):
        yield group
