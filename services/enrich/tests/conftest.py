"""Enrich on fakes, and a way to stop it at any call of a port."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace

import pytest

from enrich.service import Enrich, Enrichment
from enrich.stamp import Stamp
from millrace.archive_layout import ArchiveLayout
from millrace.assignments import EntityAssignment, EntityAssignments, Metadata
from millrace.commit import Checkpoint, CommittedLine, Owner, Stage
from millrace.enriched import EnrichedEvent
from millrace.keys import enriched_key
from millrace.raw_lines import unpack
from millrace.reference import EnrichedReference, Reference
from millrace.times import format_ms, parse_rfc3339, to_epoch_ms
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes
from millrace_testing.crash.tap import Tap
from millrace_testing.fakes import FakeIndex, FakeLedger, FakeObjects, FakeQueue, FixedClock

STAMP = Stamp("0123456789abcdef", ArchiveLayout(max_events=10, max_bytes=5_000))
FIRST_SEQ = 100


class FakeStampedObjects(FakeObjects):
    """`enrich.ports.StampedObjects` in a dictionary."""

    def metadata_of(self, key: str) -> Mapping[str, str]:
        self.get(key)
        return self.metadata[key]


@dataclass
class FakeExperiments:
    """`enrich.ports.Experiments` in a dictionary."""

    known: dict[str, Metadata] = field(default_factory=dict)
    asked: list[list[str]] = field(default_factory=list)

    def metadata_of(self, experiments: Sequence[str]) -> Mapping[str, Metadata]:
        self.asked.append(list(experiments))
        return {each: self.known[each] for each in experiments if each in self.known}


@dataclass
class FakeAssignments:
    """`enrich.ports.Assignments` in a dictionary; keeps what it was asked."""

    stored: dict[str, EntityAssignments] = field(default_factory=dict)
    asked: list[list[str]] = field(default_factory=list)

    def add(self, entity: str, experiment: str, variant: str, at: str) -> None:
        mine = self.stored.get(entity, EntityAssignments())
        new = EntityAssignment(experiment, variant, parse_rfc3339(at))
        known = (each for each in mine.known if each.experiment_id != experiment)
        ordered = sorted((*known, new), key=lambda each: each.experiment_id)
        self.stored[entity] = replace(mine, known=tuple(ordered))

    def of(self, entities: Sequence[str]) -> Mapping[str, EntityAssignments]:
        self.asked.append(list(entities))
        return {each: self.stored[each] for each in entities if each in self.stored}


@dataclass
class World:
    """Everything enrich touches, and ways to run it and to look at the end."""

    service: Enrich
    ledger: FakeLedger
    objects: FakeStampedObjects
    experiments: FakeExperiments
    assignments: FakeAssignments
    index: FakeIndex
    aggregate_queue: FakeQueue
    archive_queue: FakeQueue
    reference: Reference

    def run(self, **fields: object) -> Enrichment:
        """Run the service, with some of its fields replaced."""
        return replace(self.service, **fields).enrich(self.reference)

    def disturbed(self, tap: "Tap") -> Enrichment:
        """Run the service with every call of a port reported to `tap` first."""
        own = self.service
        return self.run(
            ledger=tap.on(own.ledger),
            objects=tap.on(own.objects),
            experiments=tap.on(own.experiments),
            assignments=tap.on(own.assignments),
            index=tap.on(own.index),
            queues=tuple(tap.on(queue) for queue in own.queues),
        )

    @property
    def key(self) -> str:
        return enriched_key(self.reference.commit_id)

    def rows(self) -> list[EnrichedEvent]:
        return [EnrichedEvent.from_line(line) for line in unpack(self.objects.get(self.key))]

    def mark(self) -> Mapping[str, object] | None:
        return self.ledger.head(SHARD, FIRST_SEQ).marks.get(Stage.ENRICHED)

    def sent(self) -> list[EnrichedReference]:
        """Return the distinct messages of both queues, which must be the same."""
        assert set(self.aggregate_queue.sent) == set(self.archive_queue.sent)
        return [EnrichedReference.parse(each) for each in dict.fromkeys(self.archive_queue.sent)]

    def end(self) -> dict[str, object]:
        """Return all that lasts; messages once each, since a queue may repeat them."""
        return {
            "bodies": dict(self.objects.bodies),
            "metadata": dict(self.objects.metadata),
            "index": (dict(self.index.counts), deepcopy(self.index.pages)),
            "marks": self.ledger.head(SHARD, FIRST_SEQ).marks,
            "sent": self.sent(),
        }


def build_world(events: int = 4) -> World:
    """Return a world with one commit of `events` lines, of which line 1 is a duplicate."""
    duplicate = CommittedLine(101, 0, to_epoch_ms(ARRIVAL), Owner(str(SHARD), 7, 0))
    lines = [event_bytes(n, colour="blue") for n in range(events)]
    commit, raw = commit_of(lines, first_seq=FIRST_SEQ, duplicates={1: duplicate})
    ledger, objects = FakeLedger(), FakeStampedObjects()
    ledger.commit(Checkpoint(), Checkpoint(1, FIRST_SEQ, ()), commit)
    objects.put_new(commit.head.raw_key, raw)
    experiments = FakeExperiments({"e1": {"owner": "growth"}, "e2": {}})
    assignments = FakeAssignments()
    assignments.add("user_0", "e1", "A", "2025-12-28T09:00:00Z")
    assignments.add("user_2", "e1", "B", format_ms(ARRIVAL))
    index, queues = FakeIndex(), (FakeQueue(), FakeQueue())
    clock = FixedClock(ARRIVAL)
    service = Enrich(ledger, objects, experiments, assignments, index, queues, clock, STAMP)
    reference = Reference.to(commit.head)
    return World(service, ledger, objects, experiments, assignments, index, *queues, reference)


@pytest.fixture
def new_world() -> Callable[..., World]:
    """Worlds that know nothing of each other."""
    return build_world


@pytest.fixture
def world() -> World:
    """One commit of four lines, one of them a duplicate; two users of three in experiment e1."""
    return build_world()


@pytest.fixture
def new_tap() -> type[Tap]:
    """Taps on the ports of a world."""
    return Tap


@pytest.fixture
def stamped_objects() -> FakeStampedObjects:
    """An empty bucket in memory."""
    return FakeStampedObjects()
