"""Archive one commit: its enriched rows in, objects by event hour and their manifest out."""

from dataclasses import dataclass

from archive.domain import ManifestRow, Part, manifest_row, parts_of
from archive.ports import DirtyHours, Manifests, StampedObjects
from archive.stamp import layout_of
from millrace.archive_layout import ArchiveLayout
from millrace.clock import Clock
from millrace.commit import Stage
from millrace.compression import compressed
from millrace.errors import MillraceError, RetryableError
from millrace.keys import archive_key, enriched_key
from millrace.ports import CommitReader
from millrace.raw_lines import unpack
from millrace.reference import EnrichedReference
from millrace.times import format_ms


class NotACommit(MillraceError):
    """A reference to something else than a commit's own enriched object, as a replay writes."""


class UploadFailed(RetryableError):
    """An archive object could not be written now."""


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
    dirty_hours: DirtyHours
    clock: Clock

    def archive(self, reference: EnrichedReference) -> Archived:
        """Store the events that `reference` stands for under their hours.

        When this returns, every part and its manifest row are stored, the hours are known to have
        changed and the ledger is marked, in this order: a manifest row never names an object that
        is not there, an hour is exported anew after its last row, and a marked commit has it all.

        Raises:
            CommitMissing, RetryableError: the same call may succeed later.
            BadStamp, NotACommit, ObjectMissing, ConfigError: it cannot before somebody has acted.
        """
        if reference.enriched_key != enriched_key(reference.commit_id):
            raise NotACommit(
                f"{reference.enriched_key} is not the enriched object of {reference.commit_id}; "
                "replayed events never enter the archive"
            )
        head = self.ledger.head(reference.shard, reference.first_seq)
        if Stage.ARCHIVED in head.marks:
            return Archived(0, 0, already_marked=True)
        body, metadata = self.objects.get_stamped(reference.enriched_key)
        layout = layout_of(reference.enriched_key, metadata)
        parts = parts_of(unpack(body), layout)
        rows = [self._put(part, head.commit_id, layout) for part in parts]
        self.manifests.put(rows)
        self.dirty_hours.touch({row.hour for row in rows})
        done = Archived(sum(len(part.rows) for part in parts), len(parts), already_marked=False)
        self._mark(reference, done)
        return done

    def _put(self, part: Part, commit_id: str, layout: ArchiveLayout) -> ManifestRow:
        """Write one part; if an earlier attempt did, its object holds the same events."""
        key = archive_key(part.hour, commit_id, part.number, layout)
        body = compressed([row.line for row in part.rows], layout.compression, layout.level)
        labels = part.labels()
        try:
            self.objects.put_new(key, body, metadata=labels, tags=labels)
        except RetryableError as err:
            raise UploadFailed(f"{key}: {err}") from err
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
