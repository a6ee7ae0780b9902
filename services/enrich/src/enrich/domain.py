"""From the lines of a commit to enriched rows and index entries: values in, values out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from millrace.commit import Commit
from millrace.enriched import Assignment, EnrichedEvent, normalised
from millrace.errors import MillraceError, RejectedRecord
from millrace.event import Event, read_event
from millrace.index import IndexEntry
from millrace.times import from_epoch_ms, parse_rfc3339, to_epoch_ms

ExperimentMetadata = Mapping[str, Mapping[str, object]]
"""What is known of each experiment, by its id."""


class CorruptCommit(MillraceError):
    """The raw object and its line table do not belong together; no retry can mend that."""


@dataclass(frozen=True, slots=True)
class AssignmentRow:
    """One row of the assignments table, not yet judged; a missing attribute is None."""

    entity_id: str
    experiment_id: str
    variant: str | None
    assigned_at: str | None


@dataclass(frozen=True, slots=True)
class EntityAssignment:
    """The variant that an entity has in one experiment, and since when."""

    experiment_id: str
    variant: str
    assigned_at: datetime

    def seen_from(self, event_time: datetime) -> Assignment:
        """Return the assignment as an event at `event_time` carries it."""
        seconds = (event_time - self.assigned_at).total_seconds()
        return Assignment(self.experiment_id, self.variant, self.assigned_at, seconds)


@dataclass(frozen=True, slots=True)
class AssignmentBook:
    """Who is in which experiment, and how many rows could not be read."""

    by_entity: Mapping[str, tuple[EntityAssignment, ...]]
    malformed: int = 0


@dataclass(frozen=True, slots=True)
class Gaps:
    """What enrichment wanted and did not find; counted, never fatal."""

    entities_unassigned: int = 0
    """Entities in no experiment, though there are experiments."""
    assignments_malformed: int = 0
    """Rows without a variant or without a readable `assigned_at`."""


def committed_events(commit: Commit, raw: Sequence[bytes]) -> list[Event]:
    """Return the event in each line of a raw object, duplicates too.

    Raises:
        CorruptCommit: the object has another number of lines than the table, or a line that
            ingest committed is no event. Nothing may be left out in silence.
    """
    table = commit.body.lines
    if len(raw) != len(table):
        raise CorruptCommit(
            f"commit {commit.head.commit_id}: the raw object has {len(raw)} lines, "
            f"the line table {len(table)}; compare the object with its versions"
        )
    return [_event_in(commit, number, line) for number, line in enumerate(raw)]


def _event_in(commit: Commit, number: int, line: bytes) -> Event:
    try:
        return read_event(line)
    except RejectedRecord as err:
        raise CorruptCommit(
            f"commit {commit.head.commit_id}: line {number} was committed but is no event "
            f"({err.reason}); was the event contract narrowed?"
        ) from err


def accepted_events(
    commit: Commit, events: Iterable[Event], defs_version: str
) -> list[EnrichedEvent]:
    """Return the accepted ones of all events of a commit as normalised rows, in line order."""
    return [
        normalised(event, line.arrival_ms, defs_version)
        for event, line in zip(events, commit.body.lines, strict=True)
        if line.duplicate_of is None
    ]


def index_entries(commit: Commit, events: Iterable[Event]) -> list[IndexEntry]:
    """Return what the index keeps of all events of a commit, in line order, duplicates flagged."""
    head = commit.head
    return [
        IndexEntry(
            event_id=event.event_id,
            entity_id=event.fields.entity_id,
            event_time=from_epoch_ms(to_epoch_ms(event.event_time)),
            event_type=event.fields.event_type,
            source=event.source,
            arrival_time=from_epoch_ms(line.arrival_ms),
            shard=head.shard,
            first_seq=head.first_seq,
            line=number,
            duplicate=line.duplicate_of is not None,
        )
        for number, (event, line) in enumerate(zip(events, commit.body.lines, strict=True))
    ]


def distinct_entities(events: Iterable[EnrichedEvent]) -> list[str]:
    """Return each entity once, in order of first appearance."""
    return list(dict.fromkeys(event.entity_id for event in events))


def assignment_book(rows: Iterable[AssignmentRow]) -> AssignmentBook:
    """Return the readable rows by entity, each entity's sorted by experiment."""
    by_entity: dict[str, list[EntityAssignment]] = {}
    malformed = 0
    for row in rows:
        assignment = _read(row)
        if assignment is None:
            malformed += 1
        else:
            by_entity.setdefault(row.entity_id, []).append(assignment)
    ordered = {
        entity: tuple(sorted(found, key=lambda each: each.experiment_id))
        for entity, found in by_entity.items()
    }
    return AssignmentBook(ordered, malformed)


def _read(row: AssignmentRow) -> EntityAssignment | None:
    if not row.variant or row.assigned_at is None:
        return None
    try:
        return EntityAssignment(row.experiment_id, row.variant, parse_rfc3339(row.assigned_at))
    except RejectedRecord:
        return None


def enriched(
    events: Iterable[EnrichedEvent], book: AssignmentBook, experiments: ExperimentMetadata
) -> Iterator[EnrichedEvent]:
    """Yield each event with its entity's assignments and the metadata of those experiments."""
    for event in events:
        mine = book.by_entity.get(event.entity_id, ())
        yield replace(
            event,
            assignments=tuple(each.seen_from(event.event_time) for each in mine),
            experiments={each.experiment_id: experiments[each.experiment_id] for each in mine},
        )


def gaps(entities: Sequence[str], book: AssignmentBook, experiments: ExperimentMetadata) -> Gaps:
    """Return what was looked for and not found."""
    if not experiments:
        return Gaps()
    unassigned = sum(entity not in book.by_entity for entity in entities)
    return Gaps(unassigned, book.malformed)
