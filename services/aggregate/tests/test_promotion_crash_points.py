"""Promoting, undoing and live's counting, broken at each AWS call, on the local engine."""

from typing import Any

import pytest
from aggregate_stories import Clients, Parts, Theatre
from promotion_stories import CountedMeanwhile, Promoted, PromotionStory, Undone

from millrace_testing.crash.explore import explore, explore_pairs, sampled
from millrace_testing.crash.wire import FaultKind, Wire

pytestmark = [pytest.mark.engine, pytest.mark.exhaustive, pytest.mark.aggregation]

SEED, PAIRS = 20_251_228, 10
KINDS = (
    FaultKind.CRASH_BEFORE,
    FaultKind.CRASH_AFTER,
    FaultKind.TIMEOUT_AFTER,
    FaultKind.PAUSE_BEFORE,
    FaultKind.PAUSE_AFTER,
)


@pytest.fixture(scope="module")
def endpoint(engine) -> str:
    Clients.of(engine.endpoint, prefix="promotions").create_resources()
    return engine.endpoint


@pytest.fixture
def wires() -> tuple[Wire, Wire]:
    return Wire(), Wire()


@pytest.fixture
def stage(endpoint, wires) -> Theatre:
    attempt, retry = (Clients.of(endpoint, wire, prefix="promotions") for wire in wires)
    return Theatre(attempt, retry, Clients.of(endpoint, prefix="promotions"), Parts())


@pytest.mark.parametrize("story", [Promoted, Undone, CountedMeanwhile])
def test_every_crash_point_survives(story: type[PromotionStory], stage, wires, figures):
    """Killed, its answer lost or overtaken: what live says and whom it counts is as in peace."""
    outcome: Any = explore(lambda: story(stage), wires[0], KINDS)
    figures(f"{story.__name__}: {outcome.summary()}")
    assert outcome.survivors == outcome.points, str(outcome)
    assert "TransactWriteItems" in outcome.calls


@pytest.mark.parametrize("story", [Promoted, Undone])
def test_two_at_once_survive(story: type[PromotionStory], stage, wires, figures):
    """Also when the second attempt goes wrong too, or both are overtaken."""
    outcome: Any = explore_pairs(lambda: story(stage), wires, sampled(PAIRS, SEED))
    figures(f"{story.__name__}, pairs: {outcome.summary()}")
    assert outcome.survivors == outcome.points, str(outcome)
