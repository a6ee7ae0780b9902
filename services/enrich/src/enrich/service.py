"""Enrich one commit: lines in; one stamped object, index pages and two references out."""

from dataclasses import dataclass

from enrich.attaching import attached
from enrich.domain import (
    CorruptCommit,
    Gaps,
    accepted_events,
    committed_events,
    index_entries,
)
from enrich.ports import Assignments, Experiments, StampedObjects
from enrich.stamp import DEFS_VERSION, Stamp
from millrace.clock import Clock
from millrace.commit import Commit, Stage
from millrace.definitions import parse
from millrace.enriched import EnrichedEvent
from millrace.errors import ConfigError, ObjectMissing
from millrace.event import Event
from millrace.index import pages_of
from millrace.keys import definitions_key, enriched_key
from millrace.ports import CommitReader, IndexWriter, MessageQueue, Objects
from millrace.raw_lines import pack, unpack
from millrace.reference import EnrichedReference, Reference
from millrace.times import format_ms


@dataclass(frozen=True, slots=True)
class Enrichment:
    """What one call did."""

    events: int
    """Rows that this call enriched; 0 if an earlier one had marked the commit."""
    already_marked: bool
    gaps: Gaps


@dataclass(frozen=True, slots=True)
class _Written:
    """The object that stands under the commit's key, whoever wrote it."""

    key: str
    defs_version: str


@dataclass(frozen=True, slots=True)
class Enrich:
    """The use case. Every effect is keyed by the commit, so any call may be repeated."""

    ledger: CommitReader
    objects: StampedObjects
    experiments: Experiments
    assignments: Assignments
    index: IndexWriter
    queues: tuple[MessageQueue, ...]
    """One for each stage that comes next."""
    clock: Clock
    stamp: Stamp

    def enrich(self, reference: Reference) -> Enrichment:
        """Enrich the commit that `reference` names and tell the stages after it.

        When this returns, the object is stored, the events indexed, the ledger marked and every
        queue has the reference. The mark comes before the messages. For delivery either order
        would do, since the reference that came in is gone only once all is done. But this way
        nobody downstream has seen an object that is not marked: when an enriched object has
        expired, a marked commit is never enriched anew (its counters and archive parts may hold
        the first object's cut), and an unmarked one may be.

        Raises:
            CommitMissing, RetryableError: the same call may succeed later.
            CorruptCommit, ObjectMissing, ConfigError: it cannot before somebody has acted.
        """
        commit = self.ledger.load(reference.shard, reference.first_seq)
        written = _marked(commit)
        done = Enrichment(0, already_marked=True, gaps=Gaps())
        if written is None:
            events = self._events(commit)
            rows, missing = self._rows(commit, events)
            written = self._put(commit, rows)
            self._index(commit, events)  # before the mark: a marked commit is indexed
            self._mark(commit, written, len(rows))
            done = Enrichment(len(rows), already_marked=False, gaps=missing)
        body = EnrichedReference.from_reference(reference, written.key, written.defs_version)
        for queue in self.queues:
            queue.send(body.to_json())
        return done

    def _events(self, commit: Commit) -> list[Event]:
        raw_key = commit.head.raw_key
        if raw_key is None:
            raise CorruptCommit(f"commit {commit.head.commit_id} holds no event to enrich")
        return committed_events(commit, unpack(self.objects.get(raw_key)))

    def _rows(self, commit: Commit, committed: list[Event]) -> tuple[list[EnrichedEvent], Gaps]:
        events = accepted_events(commit, committed, self.stamp.defs_version)
        return attached(events, self.assignments, self.experiments)

    def _put(self, commit: Commit, events: list[EnrichedEvent]) -> _Written:
        """Write the object once; if another attempt was first, its object and stamp stand."""
        key = enriched_key(commit.head.commit_id)
        body = pack([event.to_line() for event in events]).body
        if self.objects.put_new(key, body, metadata=self.stamp.to_metadata()):
            return _Written(key, self.stamp.defs_version)
        there = self.objects.metadata_of(key)
        if DEFS_VERSION not in there:
            raise CorruptCommit(f"object {key} has no `{DEFS_VERSION}` in its metadata")
        return _Written(key, there[DEFS_VERSION])

    def _index(self, commit: Commit, events: list[Event]) -> None:
        """Write the commit's index pages; every attempt writes the same ones."""
        entries = index_entries(commit, events)
        buckets = self.index.settled_buckets({entry.day for entry in entries})
        self.index.write(pages_of(entries, commit.head.first_arrival, buckets))

    def _mark(self, commit: Commit, written: _Written, events: int) -> None:
        self.ledger.mark(
            commit.head.shard,
            commit.head.first_seq,
            Stage.ENRICHED,
            {
                "at": format_ms(self.clock.now()),
                "key": written.key,
                "events": events,
                "defs_version": written.defs_version,
            },
        )


def _marked(commit: Commit) -> _Written | None:
    mark = commit.head.marks.get(Stage.ENRICHED)
    return None if mark is None else _Written(str(mark["key"]), str(mark["defs_version"]))


def publish_definitions(objects: Objects, metrics_key: str) -> str:
    """Keep the deployed metric definitions under their hash for good; return the hash.

    Aggregate then finds the very definitions that an object is stamped with, whatever was
    deployed since. They are read first: an object stamped with definitions that nobody can read
    could never be aggregated.

    Raises:
        ConfigError: there is no such object, or it holds no valid definitions.
    """
    try:
        body = objects.get(metrics_key)
    except ObjectMissing as err:
        raise ConfigError(
            f"METRICS_KEY: there is no object {metrics_key} in the data bucket; "
            "apply Terraform, which puts it there"
        ) from err
    version = parse(body, metrics_key).version
    objects.put_new(definitions_key(version), body)
    return version
