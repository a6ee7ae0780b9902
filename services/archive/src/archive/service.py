"""Archive one commit: its enriched rows in, objects by event hour and their manifest out."""

from dataclasses import dataclass

from archive.domain import ManifestRow, Part, manifest_row, parts_of
from archive.ports import Manifests, StampedObjects
from archive.stamp import cut_of
from millrace.clock import Clock
from millrace.commit import Stage
from millrace.keys import archive_key
from millrace.ports import CommitReader
from millrace.raw_lines import pack, unpack
from millrace.reference import EnrichedReference
from millrace.times import format_ms


@dataclass(frozen=True, slots=True)
class Archived:
    """What one call did; nothing if an earlier one had marked the commit."""

    events: int
    objects: int
    already_marked: bool


@dataclass(frozen=True, slots=True)
class Archive:
    """The use case. Every effect is keyed by the commit, so any call may be repeated."""

    ledger: CommitReader
    objects: StampedObjects
    manifests: Manifests
    clock: Clock

    def archive(self, reference: EnrichedReference) -> Archived:
        """Store the events that `reference` stands for under their hours.

        When this returns, every part and its manifest row are stored and the ledger is marked,
        in this order: a manifest row never names an object that is not there, and a marked
        commit has all of both.

        Raises:
            CommitMissing, RetryableError: the same call may succeed later.
            BadStamp, ObjectMissing, ConfigError: it cannot before somebody has acted.
        """
        head = self.ledger.head(reference.shard, reference.first_seq)
        if Stage.ARCHIVED in head.marks:
            return Archived(0, 0, already_marked=True)
        body, metadata = self.objects.get_stamped(reference.enriched_key)
        parts = parts_of(unpack(body), cut_of(reference.enriched_key, metadata))
        self.manifests.put([self._put(part, head.commit_id) for part in parts])
        done = Archived(sum(len(part.rows) for part in parts), len(parts), already_marked=False)
        self._mark(reference, done)
        return done

    def _put(self, part: Part, commit_id: str) -> ManifestRow:
        """Write one part; if an earlier attempt did, its object holds the same events."""
        key = archive_key(part.hour, commit_id, part.number)
        body = pack([row.line for row in part.rows]).body
        labels = part.labels()
        self.objects.put_new(key, body, metadata=labels, tags=labels)
        return manifest_row(part, key, commit_id, len(body), self.clock.now())

    def _mark(self, reference: EnrichedReference, done: Archived) -> None:
        self.ledger.mark(
            reference.shard,
            reference.first_seq,
            Stage.ARCHIVED,
            {
                "at": format_ms(self.clock.now()),
                "objects": done.objects,
                "events": done.events,
            },
        )
