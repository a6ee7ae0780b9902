"""Ingest, repair and watch, broken at each of their AWS calls, on the local engine."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import ingest_stories
import pytest
from ingest_stories import (
    REDELIVERIES,
    AbandonStory,
    Clients,
    DiscardedStory,
    IngestStory,
    RacedAbandonStory,
    RepairStory,
    ResendStory,
    Stage,
    WatchStory,
)

from ingest import service
from ingest.domain.commits import PreparedCommit, prepare
from ingest.domain.deduplication import Prefix, committable
from ingest.domain.records import JudgedRecord
from millrace.aws.discarded import DynamoDiscards
from millrace.aws.ledger import DynamoLedger
from millrace.commit import Checkpoint, Commit, SeqRange, ShardKey
from millrace.raw_lines import pack
from millrace_testing.crash.explore import Exploration, explore, explore_pairs, sampled
from millrace_testing.crash.wire import Fault, FaultKind, Wire

pytestmark = [pytest.mark.engine, pytest.mark.exhaustive]

SEED = 20_251_228
PAIRS = 40
KILLS = 50
DEATHS = (FaultKind.CRASH_BEFORE, FaultKind.CRASH_AFTER, FaultKind.PAUSE_AFTER)


class Theatre:
    """Two wires and the clients on them; plays stories and prints how they ended.

    Its tables are its own: watch looks at all that other stories have left behind.
    """

    def __init__(self, endpoint: str, figures: Callable[[str], None]) -> None:
        self.wires = Wire(), Wire()
        self.clean = Clients.of(endpoint)
        self.clean.use_own_resources()
        self.clients = [Clients.of(endpoint, wire).beside(self.clean) for wire in self.wires]
        self.figures = figures

    def stage(self, redelivery: str = "whole", ledger: type[DynamoLedger] = DynamoLedger) -> Stage:
        return Stage(*self.clients, self.clean, REDELIVERIES[redelivery], ledger)

    def singles(
        self, story: type[IngestStory], stage: Stage, kinds: Sequence[FaultKind] = tuple(FaultKind)
    ) -> Exploration[Any]:
        return self.shown(story, explore(lambda: story(stage), self.wires[0], kinds))

    def pairs(self, story: type[IngestStory], stage: Stage, pairs: Any) -> Exploration[Any]:
        return self.shown(story, explore_pairs(lambda: story(stage), self.wires, pairs))

    def shown(self, story: type[IngestStory], outcome: Exploration[Any]) -> Exploration[Any]:
        self.figures(f"{story.__name__}: {outcome.summary()}")
        return outcome


@pytest.fixture
def theatre(engine, figures) -> Theatre:
    return Theatre(engine.endpoint, figures)


@pytest.mark.parametrize("story", [IngestStory, RepairStory, DiscardedStory, ResendStory])
def test_every_crash_point_survives(theatre, story):
    """Whatever call goes wrong, readers see every record once, and every commit is announced."""
    outcome = theatre.singles(story, theatre.stage())
    assert outcome.survivors == outcome.points, str(outcome)
    assert {"TransactWriteItems", "BatchExecuteStatement", "SendMessage"} <= set(outcome.calls)


@pytest.mark.parametrize("redelivery", ["bisected", "one by one"])
def test_boundaries_of_the_redelivery_do_not_matter(theatre, redelivery):
    """However the records are cut the second time, nothing is lost or doubled."""
    outcome = theatre.singles(IngestStory, theatre.stage(redelivery), DEATHS)
    assert outcome.survivors == outcome.points, str(outcome)


def test_every_crash_point_of_watch_survives(theatre):
    """A sweep that dies half way is finished by the next one."""
    outcome = theatre.singles(WatchStory, theatre.stage())
    assert outcome.survivors == outcome.points, str(outcome)


def test_every_crash_point_of_abandoning_survives(theatre):
    """However giving up ends, each event of the range counts once when it was sent again."""
    outcome = theatre.singles(AbandonStory, theatre.stage())
    assert outcome.survivors == outcome.points, str(outcome)


def test_a_repair_killed_at_fifty_random_points_loses_nothing(theatre):
    """The second attempt breaks too, or runs beside the first: what readers see is the same."""
    outcome = theatre.pairs(DiscardedStory, theatre.stage(), sampled(KILLS, SEED))
    assert outcome.survivors == outcome.points, str(outcome)


def test_abandoning_and_repairing_at_once_is_one_of_them(theatre):
    """Whoever comes first wins: no event is lost, none counts twice."""
    outcome = theatre.pairs(RacedAbandonStory, theatre.stage(), sampled(PAIRS, SEED))
    assert outcome.survivors == outcome.points, str(outcome)


class ForgetfulAbandoning(DynamoDiscards):
    """Gives a range up without moving the checkpoint's version."""

    def _moved(self, batch: Any, before: Checkpoint) -> Any:
        update = super()._moved(batch, before)
        return update | {
            "UpdateExpression": "SET forgotten = :none",
            "ConditionExpression": "attribute_exists(seq)",
            "ExpressionAttributeValues": {":none": {"L": []}},
        }


def test_abandoning_without_the_version_is_caught(theatre, monkeypatch):
    """A repair that was under way would commit what is given up, and the resend count again."""
    monkeypatch.setattr(ingest_stories, "DynamoDiscards", ForgetfulAbandoning)
    outcome = theatre.singles(RacedAbandonStory, theatre.stage(), [FaultKind.PAUSE_BEFORE])
    assert outcome.differences


@pytest.mark.parametrize("story", [IngestStory, RepairStory, WatchStory])
def test_pairs_of_faults_survive(theatre, story):
    """Also when the retry goes wrong too, or runs beside a zombie."""
    outcome = theatre.pairs(story, theatre.stage("bisected"), sampled(PAIRS, SEED))
    assert outcome.survivors == outcome.points, str(outcome)


class BlindClear(DynamoLedger):
    """Clears `pending` whatever the version."""

    def clear_pending(self, shard: ShardKey, seen: Checkpoint) -> bool:
        del seen
        return super().clear_pending(shard, self.read(shard))


class NoPending(DynamoLedger):
    """Commits without noting the reference."""

    def commit(self, before: Checkpoint, after: Checkpoint, commit: Commit) -> bool:
        forgetful = replace(after, pending=())
        return super().commit(before, forgetful, commit)


class WatermarkOnly(DynamoLedger):
    """Takes everything at or below the watermark for committed."""

    def covered(self, shard: ShardKey, within: SeqRange) -> list[SeqRange]:
        del within
        return [SeqRange(0, self.read(shard).committed_seq)]


def test_a_blind_clear_is_caught(theatre):
    """Without the version check a zombie clears what another attempt has yet to send."""

    def late_zombie(calls: int, retry_calls: int) -> list[tuple[Fault, Fault]]:
        before_clear = Fault(calls - 2, FaultKind.PAUSE_BEFORE)
        crashes = [Fault(call, FaultKind.CRASH_BEFORE) for call in range(retry_calls)]
        return [(before_clear, crash) for crash in crashes]

    stage = theatre.stage("bisected", BlindClear)
    assert theatre.pairs(IngestStory, stage, late_zombie).differences


def test_forgetting_what_is_pending_is_caught(theatre):
    """Without `pending` a crash between commit and send loses the reference."""
    stage = theatre.stage(ledger=NoPending)
    assert theatre.singles(IngestStory, stage, [FaultKind.CRASH_BEFORE]).differences


def test_repair_by_the_watermark_is_caught(theatre):
    """Without commit rows a repair takes discarded records for committed ones."""
    stage = theatre.stage(ledger=WatermarkOnly)
    assert theatre.singles(RepairStory, stage, [FaultKind.CRASH_BEFORE]).differences


def test_raw_before_gate_is_caught(theatre, monkeypatch):
    """A raw object written before the gate answered holds lines that its commit does not."""
    chunk_lines: list[bytes] = []

    def noting_all(shard: ShardKey, records: Sequence[JudgedRecord], holders: Any) -> Prefix:
        parts = [part for judged in records for part in judged.outcomes]
        chunk_lines[:] = [part.event.line for part in parts if part.event is not None]
        return committable(shard, records, holders)

    def with_all_lines(shard: ShardKey, prefix: Prefix, *rest: Any) -> PreparedCommit:
        return replace(prepare(shard, prefix, *rest), raw=pack(chunk_lines))

    monkeypatch.setattr(service, "committable", noting_all)
    monkeypatch.setattr(service, "prepare", with_all_lines)
    stage = theatre.stage()
    assert theatre.singles(IngestStory, stage, [FaultKind.PARTIAL_ANSWER]).differences
