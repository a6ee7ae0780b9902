"""Finding an event's first arrival and its copies: by its id, or by its entity and day."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from millrace.commit import Commit, Owner, ShardKey
from millrace.event import Event, read_event
from millrace.index import IndexEntry, entity_bucket, unpack_entries
from millrace.investigate.biography import Copy, Line
from millrace.investigate.errors import NotFound
from millrace.investigate.ports import Bodies, CommitHeads, CommitPages, Gate, IndexBodies
from millrace.investigate.walking import Period, Walk
from millrace.read_cost import Budget
from millrace.stored import line_at, raw_place, stored_event
from millrace.times import format_ms

_BEFORE = timedelta(days=1)
"""How much later than another a shard may be read, and still a copy is looked for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which event: its id and source, and, where the gate forgot it, its entity and day."""

    event_id: str
    source: str
    entity_id: str | None = None
    day: date | None = None
    """UTC, of the event's time."""


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """An event, its bytes, and where they came from."""

    event: Event
    raw: bytes
    line: Line
    found_by: str


@dataclass(slots=True)
class EventFinder:
    """Finds single events; the commits it read are kept, as their lines never change."""

    gate: Gate
    ledger: CommitHeads
    index: IndexBodies
    objects: Bodies
    _commits: dict[tuple[ShardKey, int], Commit] = field(default_factory=dict)

    def find(self, wanted: Wanted) -> FoundEvent:
        """Return the first arrival of an event.

        Raises:
            NotFound: nobody knows it, or it is not committed yet; the message says where to look.
            LineMissing, ObjectMissing: the ledger and the bucket disagree.
        """
        owner = self.gate.owner_of(wanted.source, wanted.event_id)
        if owner is not None:
            return self._at(owner, wanted)
        return self._by_entity(wanted)

    def commit_of(self, shard: ShardKey, first_seq: int) -> Commit:
        """Return a commit; raise CommitMissing if there is none."""
        key = shard, first_seq
        if key not in self._commits:
            self._commits[key] = self.ledger.load(shard, first_seq)
        return self._commits[key]

    def entries(self, entity_id: str, day: date) -> Iterator[IndexEntry]:
        """Yield what the index has of an entity on a day, copies included."""
        counts = self.index.bucket_counts([day])
        if day in counts:
            for body in self.index.bodies(day, entity_bucket(entity_id, counts[day])):
                yield from unpack_entries(body, entity_id)

    def indexed_copies(self, found: FoundEvent) -> list[Copy]:
        """Return the copies that name the same entity and day, in order of arrival."""
        event = found.event
        day = event.event_time.astimezone(UTC).date()
        lines = (
            self._line(entry.shard, entry.first_seq, entry.line)
            for entry in self.entries(event.fields.entity_id, day)
            if entry.duplicate and (entry.event_id, entry.source) == (event.event_id, event.source)
        )
        return _in_order(_copy(line, found) for line in lines)

    def walked_copies(
        self, found: FoundEvent, commits: CommitPages, until: datetime, budget: Budget
    ) -> tuple[list[Copy], str]:
        """Return all copies that arrived until then, whatever they hold, and how far that went.

        Reads the line tables of everything that arrived meanwhile.
        """
        owner = _owner(found.line)
        arrived = found.line.arrival_time
        begin = arrived - _BEFORE
        walk = Walk(commits, Period(begin, max(until, arrived + _BEFORE)), budget, lines=True)
        lines = [
            self._line_of(commit, number)
            for commit in walk
            for number, line in enumerate(commit.body.lines)
            if line.duplicate_of == owner
        ]
        ended = walk.coverage.ended_by
        note = f"searched everything that arrived from {format_ms(begin)} on"
        note += f", but the {ended} ran out: there may be more" if ended else ""
        return _in_order(_copy(line, found) for line in lines), note

    def _at(self, owner: Owner, wanted: Wanted) -> FoundEvent:
        shard = ShardKey.parse(owner.shard)
        head = self.ledger.covering(shard, owner.seq)
        if head is None:
            raise NotFound(
                f"event {wanted.event_id} of {wanted.source} came with record {owner.seq} of "
                f"{owner.shard}, which no commit holds: it is being ingested, or its batch was "
                "discarded (`millrace status` tells)"
            )
        commit = self.commit_of(shard, head.first_seq)
        return self._read(commit, line_at(commit, owner.seq, owner.position), "gate")

    def _by_entity(self, wanted: Wanted) -> FoundEvent:
        if wanted.entity_id is None or wanted.day is None:
            raise NotFound(
                f"the gate knows no event {wanted.event_id} of source {wanted.source}: check the "
                "source; an id is forgotten after the gate's horizon, so give the event's entity "
                "and day as well; what could not be read as an event has no id here "
                "(`millrace quarantine list`)"
            )
        entries = [
            entry
            for entry in self.entries(wanted.entity_id, wanted.day)
            if (entry.event_id, entry.source) == (wanted.event_id, wanted.source)
        ]
        if not entries:
            raise NotFound(
                f"neither the gate knows event {wanted.event_id} of {wanted.source}, nor has the "
                f"index one of entity {wanted.entity_id} on {wanted.day}; it lists what is "
                "enriched, by the day of the event's time in UTC"
            )
        first = min(entries, key=lambda entry: (entry.duplicate, entry.order))
        commit = self.commit_of(first.shard, first.first_seq)
        return self._read(commit, first.line, "index")

    def _read(self, commit: Commit, number: int, found_by: str) -> FoundEvent:
        line = self._line_of(commit, number)
        member = self.objects.get_range(line.place.key, line.place.offset, line.place.length)
        raw = stored_event(commit, number, line.place, member).raw
        return FoundEvent(read_event(raw), raw, line, found_by)

    def _line(self, shard: ShardKey, first_seq: int, number: int) -> Line:
        return self._line_of(self.commit_of(shard, first_seq), number)

    def _line_of(self, commit: Commit, number: int) -> Line:
        place = raw_place(commit, number)
        return Line(commit.head, number, commit.body.lines[number], place)


def _copy(line: Line, found: FoundEvent) -> Copy:
    after_ms = line.entry.arrival_ms - found.line.entry.arrival_ms
    return Copy(line, after_ms, line.entry.conflict)


def _in_order(copies: Iterator[Copy]) -> list[Copy]:
    return sorted(copies, key=lambda copy: (copy.line.entry.arrival_ms, copy.line.entry.seq))


def _owner(line: Line) -> Owner:
    return Owner(str(line.head.shard), line.entry.seq, line.entry.position)
