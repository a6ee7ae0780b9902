"""Export on fakes: an archive of an hour, clients' files, and ways to run and to look."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from export.adapters.spill import DiskSpill
from export.domain.completeness import PipelineProgress
from export.domain.files import Content, Exported, Place, Placement
from export.domain.form import Form
from export.domain.sources import ArchivedObject
from export.hours import HourlyExport
from export.ports import DirtyHour, Overtaken, Written
from export.service import Bounds, Export
from millrace.archive_layout import Compression
from millrace.compression import compressed, lines_of
from millrace.enriched import EnrichedEvent
from millrace.windows import hour_label
from millrace_testing.builders import enriched_event
from millrace_testing.crash.tap import Tap
from millrace_testing.fakes import FixedClock

HOUR = datetime(2025, 12, 28, 9, tzinfo=UTC)
LABEL = hour_label(HOUR)
NOW = HOUR + timedelta(hours=1, minutes=5)


@dataclass
class FakeArchive:
    """`export.ports.Archive` in dictionaries."""

    rows: dict[str, dict[str, ArchivedObject]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    reads: Counter[str] = field(default_factory=Counter)

    def objects(self, hour: str) -> Iterator[ArchivedObject]:
        return iter([row for _, row in sorted(self.rows.get(hour, {}).items())])

    def lines(self, key: str) -> Iterator[bytes]:
        self.reads[key] += 1
        return lines_of(key, self.bodies[key])

    def add(self, key: str, events: Sequence[EnrichedEvent], *, listed: bool = True) -> None:
        """Archive `events` of one hour under `key`, their clients listed in the row or not."""
        compression = Compression.ZSTD if key.endswith("zst") else Compression.GZIP
        self.bodies[key] = compressed([event.to_line() for event in events], compression, 3)
        row = ArchivedObject(
            key=key,
            events=len(events),
            size_bytes=len(self.bodies[key]),
            input_hash=sum(event.hash64 for event in events) % 2**64,
            clients=Counter(event.client_id for event in events) if listed else None,
        )
        self.rows.setdefault(hour_label(events[0].event_time), {})[key] = row


@dataclass
class FakeExports:
    """`export.ports.Exports` in a dictionary."""

    rows: dict[tuple[str, str], Exported] = field(default_factory=dict)

    def of(self, hour: str) -> Iterator[Exported]:
        return iter([row for (label, _), row in sorted(self.rows.items()) if label == hour])

    def settle(self, hour: str, client_id: str, place: Place) -> Exported:
        return self.rows.setdefault((hour, client_id), Exported(client_id, place))

    def update(self, hour: str, seen: Exported, now: Exported) -> None:
        at = hour, now.client_id
        if self.rows[at].revision == seen.revision:
            self.rows[at] = now
        elif self.rows[at] != now:
            raise Overtaken(now.client_id)


@dataclass
class FakeFiles:
    """`export.ports.ClientFiles` in a dictionary; a version is the content's hash."""

    bodies: dict[tuple[str, str], bytes] = field(default_factory=dict)
    digests: dict[tuple[str, str], str] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)

    def version(self, bucket: str, key: str) -> str | None:
        body = self.bodies.get((bucket, key))
        return None if body is None else sha256(body).hexdigest()

    def write(
        self, place: Place, base: str | None, digest: str, chunks: Iterable[bytes]
    ) -> Written:
        body = b"".join(chunks)
        self._put(place.bucket, place.key, base, digest, body)
        return Written(len(body), sha256(body).hexdigest())

    def write_manifest(self, bucket: str, key: str, base: str | None, body: bytes) -> None:
        self._put(bucket, key, base, sha256(body).hexdigest(), body)

    def _put(self, bucket: str, key: str, base: str | None, digest: str, body: bytes) -> None:
        if self.version(bucket, key) != base:
            if self.digests.get((bucket, key)) != digest:
                raise Overtaken(key)
            return
        self.bodies[bucket, key] = body
        self.digests[bucket, key] = digest
        self.writes.append(key)


@dataclass
class FakeDirtyHours:
    """`export.ports.DirtyHours` in a dictionary."""

    tokens: dict[str, str] = field(default_factory=dict)

    def all(self) -> Iterator[DirtyHour]:
        return iter([DirtyHour(hour, token) for hour, token in sorted(self.tokens.items())])

    def clear(self, seen: DirtyHour) -> bool:
        if self.tokens.get(seen.hour) != seen.token:
            return False
        del self.tokens[seen.hour]
        return True


@dataclass
class FakeProgress:
    """`export.ports.Progress` that says what it was told."""

    seen: PipelineProgress

    def look(self) -> PipelineProgress:
        return self.seen


@dataclass
class World:
    """Everything export touches."""

    archive: FakeArchive = field(default_factory=FakeArchive)
    exports: FakeExports = field(default_factory=FakeExports)
    files: FakeFiles = field(default_factory=FakeFiles)
    dirty: FakeDirtyHours = field(default_factory=FakeDirtyHours)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    progress: FakeProgress = field(
        default_factory=lambda: FakeProgress(PipelineProgress(NOW, None, ()))
    )
    placement: Placement = field(default_factory=lambda: Placement("data", {}, Form()))
    bounds: Bounds = field(default_factory=lambda: Bounds(2, 2, 10_000_000))
    spill_limit: int = 10_000_000

    def export(self, tap: Tap | None = None) -> Export:
        """Return the service, its ports' calls reported to `tap` first."""

        def on(port: Any) -> Any:
            return tap.on(port) if tap else port

        return Export(
            archive=on(self.archive),
            exports=on(self.exports),
            files=on(self.files),
            placement=self.placement,
            new_spill=lambda: DiskSpill(self.spill_limit, flush_bytes=2_000),
            bounds=self.bounds,
        )

    def hourly(self, tap: Tap | None = None) -> HourlyExport:
        """Return the run over hours, tapped as above."""
        dirty = tap.on(self.dirty) if tap else self.dirty
        return HourlyExport(
            dirty_hours=dirty,
            progress=self.progress,
            export=self.export(tap),
            clock=self.clock,
            grace=timedelta(minutes=4),
            logger=Logger(service="export-test", level="CRITICAL"),
        )

    def archived(self, key: str, events: Sequence[EnrichedEvent], *, listed: bool = True) -> None:
        """Do what archive does: an object, its row, and the hour noted with a new token."""
        self.archive.add(key, events, listed=listed)
        hour = hour_label(events[0].event_time)
        self.dirty.tokens[hour] = f"{self.dirty.tokens.get(hour, '')}+{key}"

    def events_of(self, client_id: str) -> list[str]:
        """Return the ids in a client's file, in its order."""
        return [row["event_id"] for row in self.rows_of(client_id)]

    def rows_of(self, client_id: str) -> list[dict[str, Any]]:
        place = self.exports.rows[LABEL, client_id].place
        body = self.files.bodies[place.bucket, place.key]
        text = gzip.decompress(body) if place.key.endswith(".gz") else body
        if place.form.format == "array":
            rows: list[dict[str, Any]] = json.loads(text)
            return rows
        return [json.loads(line) for line in text.splitlines()]

    def manifest_of(self, client_id: str) -> dict[str, Any]:
        place = self.exports.rows[LABEL, client_id].place
        manifest: dict[str, Any] = json.loads(
            self.files.bodies[place.bucket, place.manifest_key(HOUR)]
        )
        return manifest

    def contents(self) -> Mapping[str, Content | None]:
        return {client: row.content for (_, client), row in self.exports.rows.items()}

    def end(self) -> dict[str, object]:
        """Return all that lasts, but for how often a row was written."""
        return {
            "files": dict(self.files.bodies),
            "rows": {at: replace(row, revision=0) for at, row in self.exports.rows.items()},
            "dirty": dict(self.dirty.tokens),
        }


def events_for(clients: Sequence[str], numbers: Iterable[int]) -> list[EnrichedEvent]:
    """Return events of the hour, one for each number, dealt out to the clients in turn."""
    return [
        enriched_event(
            number,
            event_id=f"event-{number:05}",
            client_id=clients[number % len(clients)],
            event_time=HOUR + timedelta(seconds=number % 3600),
        )
        for number in numbers
    ]


@pytest.fixture
def new_events() -> Callable[..., list[EnrichedEvent]]:
    """Make events of the hour."""
    return events_for


@pytest.fixture
def new_world() -> Callable[..., World]:
    """Worlds with 60 events of three clients in three objects, 20 an object."""

    def make(**fields: Any) -> World:
        world = World(**fields)
        for part in range(3):
            events = events_for(["acme", "#en/wiki", "shop"], range(20 * part, 20 * part + 20))
            world.archived(f"archive/h/c{part}-0.ndjson.gz", events)
        return world

    return make


@pytest.fixture
def world(new_world) -> World:
    return new_world()


@pytest.fixture
def new_tap() -> type[Tap]:
    """Taps on the ports of a world."""
    return Tap
