"""From the lines of a commit to enriched rows and index entries: values in, values out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from millrace.assignments import EntityAssignments, Metadata
from millrace.commit import Commit
from millrace.enriched import EnrichedEvent, normalised
from millrace.errors import MillraceError, RejectedRecord
from millrace.event import Event, read_event
from millrace.index import IndexEntry
from millrace.times import from_epoch_ms, to_epoch_ms

Assigned = Mapping[str, EntityAssignments]
"""Who is in which experiments, by entity."""


class CorruptCommit(MillraceError):
    """The raw object and its line table do not belong together; no retry can mend that."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """What enrichment wanted and did not find; counted, never fatal."""

    entities_unassigned: int = 0
    """Entities in no experiment."""
    assignments_malformed: int = 0
    """Assignments without a variant or without a readable `assigned_at`."""
    experiments_unknown: int = 0
    """Experiments that entities are in and of which nothing is known."""
    events_before_assignment: int = 0
    """Events older than an assignment of their entity: what they show is no effect of it."""


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


def experiments_in(assignments: Assigned) -> list[str]:
    """Return each experiment once that some entity is in, sorted."""
    return sorted({each.experiment_id for found in assignments.values() for each in found.known})


def enriched(
    events: Iterable[EnrichedEvent], assignments: Assigned, experiments: Mapping[str, Metadata]
) -> Iterator[EnrichedEvent]:
    """Yield each event with its entity's assignments and what is known of those experiments."""
    for event in events:
        mine = assignments.get(event.entity_id, EntityAssignments()).known
        ids = (each.experiment_id for each in mine)
        yield replace(
            event,
            assignments=tuple(each.seen_from(event.event_time) for each in mine),
            experiments={each: experiments[each] for each in ids if each in experiments},
        )


def gaps(
    entities: Sequence[str],
    assignments: Assigned,
    experiments: Mapping[str, Metadata],
    rows: Iterable[EnrichedEvent],
) -> Gaps:
    """Return what was looked for and not found, and how many rows came before an assignment."""
    found = [assignments.get(each, EntityAssignments()) for each in entities]
    return Gaps(
        entities_unassigned=sum(not each.known for each in found),
        assignments_malformed=sum(each.malformed for each in found),
        experiments_unknown=sum(each not in experiments for each in experiments_in(assignments)),
        events_before_assignment=sum(
            any(each.before_assignment for each in row.assignments) for row in rows
        ),
    )
