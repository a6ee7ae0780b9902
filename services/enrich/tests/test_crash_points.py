"""Enrich, broken at each of its AWS calls, on the local engine."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

import pytest
from enrich_stories import ChangedStory, EnrichStage, EnrichStory, Process, whole_commit

from enrich.adapters import S3StampedObjects
from enrich.service import Enrich
from millrace.commit import Commit
from millrace.enriched import EnrichedEvent
from millrace_testing.crash.explore import Exploration, explore, explore_pairs, sampled
from millrace_testing.crash.wire import FaultKind, Wire

pytestmark = [pytest.mark.engine, pytest.mark.exhaustive, pytest.mark.enrichment]

SEED = 20_251_228
PAIRS = 40
SECOND_ATTEMPTS = (
    FaultKind.CRASH_BEFORE,
    FaultKind.CRASH_AFTER,
    FaultKind.PAUSE_BEFORE,
    FaultKind.PAUSE_AFTER,
)


@pytest.fixture(scope="module")
def suffix(engine) -> str:
    """The end of the names of this module's own resources."""
    name = uuid4().hex[:8]
    Process.of(engine.endpoint, name).create_resources()
    return name


class Theatre:
    """Two wires and the processes on them; plays stories and prints how they ended."""

    def __init__(self, endpoint: str, suffix: str, figures: Callable[[str], None]) -> None:
        self.wires = Wire(), Wire()
        self.processes = [Process.of(endpoint, suffix, wire) for wire in (*self.wires, None)]
        self.figures = figures

    def stage(self, **broken: Any) -> EnrichStage:
        return EnrichStage(*self.processes, **broken)

    def singles(
        self,
        story: type[EnrichStory],
        stage: EnrichStage,
        kinds: Sequence[FaultKind] = tuple(FaultKind),
    ) -> Exploration[Any]:
        return self.shown(story, explore(lambda: story(stage), self.wires[0], kinds))

    def pairs(self, story: type[EnrichStory], stage: EnrichStage) -> Exploration[Any]:
        sample = sampled(PAIRS, SEED)
        return self.shown(story, explore_pairs(lambda: story(stage), self.wires, sample))

    def shown(self, story: type[EnrichStory], outcome: Exploration[Any]) -> Exploration[Any]:
        self.figures(f"{story.__name__}: {outcome.summary()}")
        return outcome


@pytest.fixture
def theatre(engine, suffix, figures) -> Theatre:
    return Theatre(engine.endpoint, suffix, figures)


def test_a_clean_run_is_whole(theatre):
    """What every crash point is compared with is itself right."""
    story = EnrichStory(theatre.stage())
    story.attempt()
    seen = story.observe()
    assert seen.rows == tuple(whole_commit())
    assert (seen.object_versions, seen.marked_events) == (1, 11)
    assert (seen.versions_of_truth, seen.told) == ((1, 1, 1), (1, 1))
    assert sorted(line for _, line, _ in seen.indexed) == list(range(12))


@pytest.mark.parametrize(
    ("story", "kinds"), [(EnrichStory, tuple(FaultKind)), (ChangedStory, SECOND_ATTEMPTS)]
)
def test_every_crash_point_survives(theatre, story, kinds):
    """Whatever call goes wrong: one object, one version of the truth, every event indexed once.

    Also when definitions and assignments change between the attempts: the first object stands.
    """
    outcome = theatre.singles(story, theatre.stage(), kinds)
    assert outcome.survivors == outcome.points, str(outcome)
    assert {"BatchGetItem", "S3 PUT", "BatchWriteItem", "UpdateItem"} <= set(outcome.calls)
    assert outcome.calls.count("SendMessage") == 2


def test_pairs_of_faults_survive(theatre):
    """Also when the redelivery goes wrong too, or runs beside a zombie, in a changed world."""
    outcome = theatre.pairs(ChangedStory, theatre.stage())
    assert outcome.survivors == outcome.points, str(outcome)


class Overwriting(S3StampedObjects):
    """Writes whatever is there, and takes itself for the first."""

    def put_new(
        self,
        key: str,
        body: bytes,
        *,
        metadata: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> bool:
        del tags
        self._s3.put_object(Bucket=self._data_bucket, Key=key, Body=body, Metadata=metadata or {})
        return True


class IndexForgotten(Enrich):
    """Marks the commit before its events are indexed."""

    def _put(self, commit: Commit, events: list[EnrichedEvent]) -> Any:
        written = super()._put(commit, events)
        self._mark(commit, written, len(events))
        return written


@pytest.mark.parametrize(
    ("story", "broken"),
    [(ChangedStory, {"objects": Overwriting}), (EnrichStory, {"service": IndexForgotten})],
    ids=["an overwritten object", "a mark before the index"],
)
def test_a_broken_enrich_is_caught(theatre, story, broken):
    """The harness sees what each rule of the protocol is there for."""
    outcome = theatre.singles(story, theatre.stage(**broken), [FaultKind.CRASH_AFTER])
    assert outcome.differences
