"""Making a plan: from a selection to the very messages that `apply` will send."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from uuid import uuid4

from millrace.clock import Clock
from millrace.definitions import Definitions
from millrace.index import IndexEntry, days_within, entity_bucket, unpack_entries
from millrace.keys import definitions_key, plan_chunk_key
from millrace.ports import CommitLoader, IndexPages, Objects
from millrace.raw_lines import pack
from millrace.replay.coverage import Coverage
from millrace.replay.errors import InvalidRequest
from millrace.replay.estimate import Reckoning
from millrace.replay.plan import Chunk, Plan, chunk_of
from millrace.replay.planned import PlannedEvent
from millrace.replay.ports import ReplayLedger
from millrace.replay.selection import Selection, SelectionTooLarge
from millrace.replay.sorting import SortedEntries

CHUNK_MESSAGES = 5_000

Told = Callable[[int], None]
"""Is told how many events were found so far."""


def _tell_nobody(events: int) -> None:
    del events


@dataclass(frozen=True, slots=True)
class MetricDefinitions:
    """The definitions that a replay computes by, and their bytes."""

    parsed: Definitions
    body: bytes


@dataclass(slots=True)
class _Found:
    """What the events of a plan come to."""

    reckoning: Reckoning
    events: int = 0
    duplicates: int = 0
    read_bytes: int = 0
    keys: set[str] = field(default_factory=set)
    members: set[tuple[str, int]] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None

    def take(self, entry: IndexEntry, event: PlannedEvent) -> None:
        """Count one event."""
        self.reckoning.take(entry)
        self.events += 1
        self.duplicates += entry.duplicate
        self.keys.add(event.key)
        if (event.key, event.offset) not in self.members:
            self.members.add((event.key, event.offset))
            self.read_bytes += event.length
        self.first = min(self.first or entry.event_time, entry.event_time)
        self.last = max(self.last or entry.event_time, entry.event_time)


@dataclass(frozen=True, slots=True)
class Planner:
    """The use case, over its ports."""

    pages: IndexPages
    commits: CommitLoader
    objects: Objects
    ledger: ReplayLedger
    clock: Clock
    chunk_messages: int = CHUNK_MESSAGES

    def plan(
        self,
        selection: Selection,
        metrics: MetricDefinitions,
        who: str,
        rate: int,
        tell: Told = _tell_nobody,
    ) -> Plan:
        """Return the plan of a selection, stored with every message of it.

        What is selected is what the index names at this moment: events that are committed but
        not enriched yet are not among them. If this raises there is no plan, whatever objects
        were written for one.

        Raises:
            InvalidRequest: the rate is none.
            SelectionTooLarge: more events than the selection's limit.
            LineMissing, CommitMissing: index and ledger disagree.
            ConfigError, RetryableError: a table or the bucket cannot be reached.
        """
        if rate < 1:
            raise InvalidRequest("rate", f"is {rate}; 1 or more messages a second")
        plan_id = f"{self.clock.now():%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}"
        found = _Found(Reckoning(metrics.parsed.metrics, rate))
        with closing(SortedEntries()) as entries:
            self._gather(selection, entries, tell)
            chunks = list(self._chunks(plan_id, entries, found))
        self.objects.put_new(definitions_key(metrics.parsed.version), metrics.body)
        coverage = Coverage.of(selection, metrics.parsed.metrics)
        plan = Plan(
            plan_id=plan_id,
            created_at=self.clock.now(),
            created_by=who,
            selection=selection,
            defs_version=metrics.parsed.version,
            events=found.events,
            duplicates=found.duplicates,
            objects=len(found.keys),
            members=len(found.members),
            read_bytes=found.read_bytes,
            first_event=found.first,
            last_event=found.last,
            chunks=tuple(chunks),
            coverage=coverage.to_fields(),
            estimate=found.reckoning.estimate(len(found.members)),
            rate=rate,
        )
        self.ledger.save_plan(plan)
        return plan

    def _gather(self, selection: Selection, entries: SortedEntries, tell: Told) -> None:
        limit = selection.limit
        for entry in self.selected(selection):
            entries.add(entry)
            found = len(entries)
            tell(found)
            if limit is not None and found > limit:
                raise SelectionTooLarge(
                    f"more than {limit} events are selected; narrow the window or the selectors, "
                    "or allow as many as you mean (a larger limit, or none)"
                )

    def selected(self, selection: Selection) -> Iterator[IndexEntry]:
        """Yield the events that a selection names now, in no order; one may come twice."""
        days = days_within(selection.start, selection.end)
        counts = self.pages.bucket_counts(days)
        for day in days:
            for bucket in _buckets(selection.entity_id, counts.get(day, 0)):
                for body in self.pages.bodies(day, bucket):
                    for entry in unpack_entries(body, selection.entity_id):
                        if selection.wants(entry):
                            yield entry

    def _chunks(self, plan_id: str, entries: SortedEntries, found: _Found) -> Iterator[Chunk]:
        """Write the messages, chunk by chunk, and yield what was written."""
        number = 0
        events = self._events(entries, found)
        while lines := [event.to_line() for event in islice(events, self.chunk_messages)]:
            key = plan_chunk_key(plan_id, number)
            body = pack(lines).body
            self.objects.put_new(key, body)
            yield chunk_of(key, lines, body)
            number += 1

    def _events(self, entries: SortedEntries, found: _Found) -> Iterator[PlannedEvent]:
        for (shard, first_seq), group in entries.by_commit():
            commit = self.commits.load(shard, first_seq)
            for entry in group:
                event = PlannedEvent.of(entry, commit)
                found.take(entry, event)
                yield event


def _buckets(entity_id: str | None, count: int) -> Iterable[int]:
    """Return the buckets of a day to read; none for a day without events."""
    if count and entity_id is not None:
        return (entity_bucket(entity_id, count),)
    return range(count)
