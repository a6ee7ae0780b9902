"""Writes an event's biography out of what every stage left behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from millrace.clock import Clock
from millrace.commit import Stage
from millrace.compression import lines_of
from millrace.enriched import EnrichedEvent
from millrace.errors import ObjectMissing
from millrace.investigate.biography import (
    Archived,
    Biography,
    Enriched,
    Exported,
    Standing,
)
from millrace.investigate.counted import CountTrail
from millrace.investigate.finding import EventFinder, FoundEvent, Wanted
from millrace.investigate.ports import Bodies, CommitPages, Manifests
from millrace.investigate.retold import ReplayTrail
from millrace.read_cost import Budget
from millrace.times import format_ms, parse_rfc3339
from millrace.windows import hour_label

_INDEXED_ONLY = (
    "copies with another entity or day are not looked for here: `--all-copies` reads every commit "
    "since"
)


@dataclass(frozen=True, slots=True)
class Biographer:
    """The use case, over its ports."""

    finder: EventFinder
    commits: CommitPages
    objects: Bodies
    counts: CountTrail
    manifests: Manifests
    replays: ReplayTrail
    clock: Clock

    def write(self, wanted: Wanted, budget: Budget, *, all_copies: bool = False) -> Biography:
        """Return all that is known of an event.

        all_copies: look for copies with another entity or day too, which reads the line tables of
            all that arrived since.

        Raises:
            NotFound: there is no such event; the message says where to look.
            LineMissing, ObjectMissing: the ledger and the bucket disagree about its bytes.
        """
        found = self.finder.find(wanted)
        if all_copies:
            now = self.clock.now()
            copies, note = self.finder.walked_copies(found, self.commits, now, budget)
        else:
            copies, note = self.finder.indexed_copies(found), _INDEXED_ONLY
        enriched, row = self._enriched(found)
        archived, archived_row = self._archived(found)
        touched, replays_note = self.replays.of(found, budget)
        counted, counted_note = self.counts.of(found, row or archived_row, touched)
        return Biography(
            event=found.event,
            raw=found.raw,
            found_by=found.found_by,
            first=found.line,
            copies=tuple(copies),
            copies_note=note,
            enriched=enriched,
            counted_in=tuple(counted),
            counted_note=counted_note,
            archived=archived,
            exported=self._exported(found, archived),
            replays=tuple(touched),
            replays_note=replays_note,
        )

    def _enriched(self, found: FoundEvent) -> tuple[Enriched, EnrichedEvent | None]:
        mark = found.line.head.marks.get(Stage.ENRICHED)
        if mark is None:
            return Enriched(Standing.PENDING, "enrich has not marked the commit yet"), None
        key, at, defs = str(mark["key"]), str(mark["at"]), str(mark["defs_version"])
        try:
            row = _row_of(found, key, self.objects.get(key))
        except ObjectMissing:
            note = "enriched objects expire; the archive keeps the row"
            return Enriched(Standing.EXPIRED, note, key, at, defs), None
        if row is None:
            note = "the commit's enriched object has no row of it: look at enrich's log"
            return Enriched(Standing.MISSING, note, key, at, defs), None
        fields: Mapping[str, Any] = orjson.loads(row.to_line())
        return Enriched(Standing.FOUND, "", key, at, defs, fields), row

    def _archived(self, found: FoundEvent) -> tuple[Archived, EnrichedEvent | None]:
        head, hour = found.line.head, hour_label(found.event.event_time)
        mark = head.marks.get(Stage.ARCHIVED)
        if mark is None:
            return Archived(Standing.PENDING, "archive has not marked the commit yet", hour), None
        for row in self.manifests.archived(hour):
            if row["commit_id"] == head.commit_id and _spans(row, found):
                try:
                    kept = _row_of(found, row["object_key"], self.objects.get(row["object_key"]))
                except ObjectMissing:
                    note = "the manifest names the object, and the bucket has none"
                    return Archived(Standing.MISSING, note, hour, row["object_key"]), None
                if kept is not None:
                    return _archived_in(row, hour), kept
        return Archived(Standing.MISSING, "no object of the commit holds it", hour), None

    def _exported(self, found: FoundEvent, archived: Archived) -> Exported:
        client_id, hour = found.event.client_id, hour_label(found.event.event_time)
        rows = (row for row in self.manifests.exported(hour) if row["client_id"] == client_id)
        row = next(rows, None)
        if row is None or "source_digest" not in row:
            note = f"hour {hour} has not been exported for {client_id}; `millrace export` does it"
            return Exported(Standing.PENDING, note, client_id)
        standing, note = self._is_in_export(row, archived, client_id)
        return Exported(
            standing,
            note,
            client_id,
            f"s3://{row['bucket']}/{row['file_key']}",
            row.get("status"),
            int(row["events"]),
            row["written_at"],
        )

    def _is_in_export(
        self, row: Mapping[str, Any], archived: Archived, client_id: str
    ) -> tuple[Standing, str]:
        """Tell whether a client's file has the event: it has, if it has as many as the archive.

        Files are made of archive objects, which are only ever added.
        """
        if archived.standing is not Standing.FOUND or archived.hour is None:
            return Standing.PENDING, "the event is not archived yet, and files are made of that"
        clients = [each.get("clients") for each in self.manifests.archived(archived.hour)]
        listed = [each for each in clients if each is not None]
        if len(listed) < len(clients):
            if archived.at is not None and archived.at < row["written_at"]:
                return Standing.UNKNOWN, "written after the event was archived, so most likely"
            return Standing.PENDING, "the file is older than the archived event"
        if sum(int(each.get(client_id, 0)) for each in listed) == int(row["events"]):
            return Standing.FOUND, ""
        return Standing.PENDING, "the hour changed since; the next export writes the file anew"


def _row_of(found: FoundEvent, key: str, body: bytes) -> EnrichedEvent | None:
    """Return the event's row in an enriched or an archive object."""
    wanted = found.event.event_id, found.event.source
    for line in lines_of(key, body):
        row = orjson.loads(line)
        if (row["event_id"], row["source"]) == wanted:
            return EnrichedEvent.from_line(line)
    return None


def _spans(row: Mapping[str, Any], found: FoundEvent) -> bool:
    """Tell whether an archive object's time range holds the event."""
    at = format_ms(found.event.event_time)
    return bool(row["first_event_time"] <= at <= row["last_event_time"])


def _archived_in(row: Mapping[str, Any], hour: str) -> Archived:
    key, at = row["object_key"], format_ms(parse_rfc3339(row["written_at"]))
    return Archived(Standing.FOUND, "", hour, key, int(row["events"]), at)
