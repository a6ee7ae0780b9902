"""Aggregate, broken at each of its AWS calls, on the local engine."""

from collections.abc import Callable
from typing import Any

import pytest
from aggregate_stories import BatchStory, Clients, Parts, ReplayStory, Story, Theatre

from aggregate.adapters.markers import DynamoMarkers
from aggregate.adapters.marks import PartMarks
from millrace_testing.crash.explore import Exploration, explore, explore_pairs, sampled
from millrace_testing.crash.wire import NOT_THE_CLIENT_S, FaultKind, Wire

pytestmark = [pytest.mark.engine, pytest.mark.exhaustive, pytest.mark.aggregation]

SEED = 20_251_228
PAIRS = 20
SOUND = Parts()


@pytest.fixture(scope="module")
def endpoint(engine) -> str:
    Clients.of(engine.endpoint).create_resources()
    return engine.endpoint


class Playhouse:
    """Two wires and the clients on them; plays stories and prints how they ended."""

    def __init__(self, endpoint: str, figures: Callable[[str], None]) -> None:
        self.wires = Wire(), Wire()
        self.clients = [Clients.of(endpoint, wire) for wire in self.wires]
        self.clean = Clients.of(endpoint)
        self.figures = figures

    def stage(self, parts: Parts) -> Theatre:
        return Theatre(*self.clients, self.clean, parts)

    def singles(
        self, story: type[Story], parts: Parts = SOUND, kinds: Any = tuple(FaultKind)
    ) -> Exploration[Any]:
        found = explore(lambda: story(self.stage(parts)), self.wires[0], kinds)
        return self.shown(story, found)

    def pairs(self, story: type[Story], pairs: Any) -> Exploration[Any]:
        found = explore_pairs(lambda: story(self.stage(SOUND)), self.wires, pairs)
        return self.shown(story, found)

    def shown(self, story: type[Story], outcome: Exploration[Any]) -> Exploration[Any]:
        self.figures(f"{story.__name__}: {outcome.summary()}")
        return outcome


@pytest.fixture
def playhouse(endpoint, figures) -> Playhouse:
    return Playhouse(endpoint, figures)


@pytest.mark.parametrize(
    ("story", "kinds"), [(BatchStory, tuple(FaultKind)), (ReplayStory, NOT_THE_CLIENT_S)]
)
def test_every_crash_point_survives(playhouse, story, kinds):
    """Whatever call goes wrong, and in whatever company a reference comes again: counted once."""
    outcome = playhouse.singles(story, kinds=kinds)
    assert outcome.survivors == outcome.points, str(outcome)
    assert {"BatchGetItem", "BatchExecuteStatement", "TransactWriteItems"} <= set(outcome.calls)


@pytest.mark.parametrize("story", [BatchStory, ReplayStory])
def test_pairs_of_faults_survive(playhouse, story):
    """Also when the redelivery goes wrong too, or runs beside a zombie."""
    outcome = playhouse.pairs(story, sampled(PAIRS, SEED))
    assert outcome.survivors == outcome.points, str(outcome)


class Unconditional(PartMarks):
    """Marks parts, and does not look whether they are marked."""

    def update(self, part: Any) -> Any:
        item = super().update(part)
        del item["Update"]["ConditionExpression"]
        return item


class Forgetful(DynamoMarkers):
    """Takes a marker that is there for somebody else's, its own from before too."""

    def owners(self, markers: Any) -> Any:
        return dict.fromkeys(super().owners(markers), "somebody")


def test_marks_without_a_condition_are_caught(playhouse):
    """A part that is written again counts twice."""
    kinds = [FaultKind.CRASH_AFTER]
    assert playhouse.singles(BatchStory, Parts(marks=Unconditional), kinds).differences


def test_forgotten_owners_are_caught(playhouse):
    """Users claimed by an attempt that died would never be counted."""
    kinds = [FaultKind.CRASH_AFTER]
    assert playhouse.singles(BatchStory, Parts(markers=Forgetful), kinds).differences
