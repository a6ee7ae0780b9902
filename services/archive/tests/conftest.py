"""Archive on fakes, and a way to stop it at any call of a port."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from archive.domain import ManifestRow
from archive.service import Archive, Archived
from millrace.archive_layout import ArchiveLayout
from millrace.commit import Checkpoint, Stage
from millrace.compression import lines_of
from millrace.enriched import EnrichedEvent
from millrace.keys import ARCHIVE, enriched_key
from millrace.raw_lines import pack
from millrace.reference import EnrichedReference, Reference
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, enriched_event, event_bytes
from millrace_testing.crash.tap import Tap
from millrace_testing.fakes import FakeLedger, FakeObjects, FixedClock

FIRST_SEQ = 100


class FakeStampedObjects(FakeObjects):
    """`archive.ports.StampedObjects` in a dictionary."""

    def get_stamped(self, key: str) -> tuple[bytes, Mapping[str, str]]:
        return self.get(key), self.metadata[key]


@dataclass
class FakeManifests:
    """`archive.ports.Manifests` in a dictionary."""

    stored: dict[tuple[str, str], ManifestRow] = field(default_factory=dict)

    def put(self, rows: Sequence[ManifestRow]) -> None:
        self.stored |= {(row.hour, row.object_key): row for row in rows}


@dataclass
class FakeDirtyHours:
    """`archive.ports.DirtyHours` that counts the times."""

    touched: Counter[str] = field(default_factory=Counter)

    def touch(self, hours: Iterable[str]) -> None:
        self.touched.update(hours)


@dataclass
class World:
    """Everything archive touches, and ways to run it and to look at the end."""

    service: Archive
    ledger: FakeLedger
    objects: FakeStampedObjects
    manifests: FakeManifests
    dirty_hours: FakeDirtyHours
    reference: EnrichedReference

    def run(self, **fields: object) -> Archived:
        """Run the service, with some of its fields replaced."""
        return replace(self.service, **fields).archive(self.reference)

    def disturbed(self, tap: "Tap") -> Archived:
        """Run the service with every call of a port reported to `tap` first."""
        own = self.service
        return self.run(
            ledger=tap.on(own.ledger),
            objects=tap.on(own.objects),
            manifests=tap.on(own.manifests),
            dirty_hours=tap.on(own.dirty_hours),
        )

    def archived(self) -> dict[str, list[EnrichedEvent]]:
        """Return the events of each archive object."""
        return {
            key: [EnrichedEvent.from_line(line) for line in lines_of(key, self.objects.get(key))]
            for key in self.objects.keys(f"{ARCHIVE}/")
        }

    def restamp(self, layout: ArchiveLayout) -> None:
        """Have enrich try again under another layout: it finds its object and leaves it."""
        key = self.reference.enriched_key
        assert not self.objects.put_new(key, b"", metadata=layout.to_metadata())

    def mark(self) -> Mapping[str, object] | None:
        return self.ledger.head(SHARD, FIRST_SEQ).marks.get(Stage.ARCHIVED)

    def end(self) -> dict[str, object]:
        """Return all that lasts."""
        return {
            "bodies": dict(self.objects.bodies),
            "metadata": dict(self.objects.metadata),
            "tags": dict(self.objects.tags),
            "manifests": dict(self.manifests.stored),
            "dirty": set(self.dirty_hours.touched),
            "marks": self.ledger.head(SHARD, FIRST_SEQ).marks,
        }


def build_world(events: Sequence[EnrichedEvent] | None = None, **stamp: str) -> World:
    """Return a world with one enriched object; by default five events in two hours, cut by two."""
    if events is None:
        minutes = (5, 70, 6, 7, 71)  # before 09:30: three in hour 09, two in hour 08
        events = [
            enriched_event(n, event_time=ARRIVAL - timedelta(minutes=m))
            for n, m in enumerate(minutes)
        ]
    commit, _ = commit_of([event_bytes(n) for n in range(5)], first_seq=FIRST_SEQ)
    ledger, objects, manifests = FakeLedger(), FakeStampedObjects(), FakeManifests()
    dirty_hours = FakeDirtyHours()
    ledger.commit(Checkpoint(), Checkpoint(1, FIRST_SEQ, ()), commit)
    key = enriched_key(commit.head.commit_id)
    body = pack([event.to_line() for event in events]).body
    labels = {"archive-max-events": "2", "archive-max-bytes": "100000"}
    metadata = labels | {name.replace("_", "-"): value for name, value in stamp.items()}
    objects.put_new(key, body, metadata=metadata)
    reference = EnrichedReference.from_reference(Reference.to(commit.head), key, "0123456789abcdef")
    service = Archive(ledger, objects, manifests, dirty_hours, FixedClock(ARRIVAL))
    return World(service, ledger, objects, manifests, dirty_hours, reference)


@pytest.fixture
def new_world() -> Callable[..., World]:
    """Worlds that know nothing of each other."""
    return build_world


@pytest.fixture
def world() -> World:
    """Five events in two hours, at most two a part."""
    return build_world()


@pytest.fixture
def new_tap() -> type[Tap]:
    """Taps on the ports of a world."""
    return Tap


@pytest.fixture
def stamped_objects() -> FakeStampedObjects:
    """An empty bucket in memory."""
    return FakeStampedObjects()
