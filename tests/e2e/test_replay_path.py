"""Replayed events through the deployed processor, with IAM enforced: queue, enrich, aggregate."""

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import orjson
import pytest
from pipeline import NO_DATA, WIKITICKER, Pipeline

from millrace.aggregates import LIVE, Dimension, Scope, Version
from millrace.aws.aggregates import AggregatesReader
from millrace.aws.index import IndexReader
from millrace.aws.ledger import DynamoLedger
from millrace.aws.queue import SqsBatches
from millrace.aws.replays import DynamoReplays
from millrace.commit import Stage
from millrace.replay.message import ReplayMessage
from millrace.replay.planned import PlannedEvent
from millrace.replay.progress import Progress, progress_of
from millrace.replay.record import Replay
from millrace.windows import WindowWidth
from millrace_testing.replays import audit_entry, replay_record
from millrace_testing.wait import wait_until

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not WIKITICKER.exists(), reason=NO_DATA),
]

USER = "Antigng-bot"
DAY = datetime(2013, 9, 12, tzinfo=UTC)  # the sample's own day belongs to the tests of live
SOURCE = "replayed-wikipedia"
DEADLINE_S = 120
SCOPES = (
    Scope.of(Dimension.ENTITY, USER),
    Scope.of(Dimension.TYPE, "replayed-edit"),
    Scope.of(Dimension.SOURCE, SOURCE),
)


@dataclass(frozen=True)
class Replaying:
    """One user's day in the pipeline, and what a replay of it takes."""

    pipeline: Pipeline
    planned: Sequence[PlannedEvent]
    defs_version: str

    @property
    def ledger(self) -> DynamoReplays:
        dynamodb = self.pipeline.deployed.client("dynamodb")
        return DynamoReplays(dynamodb, self.pipeline.outputs["tables"]["replays"])

    def start(self, version: str, **fields: Any) -> Replay:
        """Write the record of a replay under a version of its own."""
        replay = replay_record(
            f"e2e-{version}",
            version=Version(version),
            defs_version=self.defs_version,
            messages=len(self.planned),
            **fields,
        )
        assert self.ledger.reserve_version(replay.version, replay.replay_id)
        assert self.ledger.start(replay, audit_entry())
        return replay

    def messages(self, replay: Replay) -> list[ReplayMessage]:
        """Return one message for each event of the day."""
        bucket = self.pipeline.outputs["data_bucket"]
        return [each.message(bucket, replay.replay_id, replay.version) for each in self.planned]

    def send(self, bodies: Sequence[str]) -> None:
        """Put messages on the replay queue."""
        url = self.pipeline.outputs["queue_urls"]["replay"]
        queue = SqsBatches(self.pipeline.deployed.client("sqs"), url)
        for start in range(0, len(bodies), 10):
            queue.send_all(bodies[start : start + 10])

    def progress(self, replay: Replay) -> Progress:
        """Return how far the processor has come."""
        ledger, replay_id = self.ledger, replay.replay_id
        return progress_of(ledger.objects(replay_id), ledger.skipped(replay_id))

    def all_delivered(self) -> bool:
        """Tell whether every queue is empty: each message has had its effect."""
        queues = self.pipeline.status()["queues"].values()
        return not any(queue["visible"] + queue["in_flight"] for queue in queues)

    def rows(self, version: str = LIVE) -> dict[tuple[str, str, str], tuple[Any, ...]]:
        """Return value, count and input hash of each row of the day's scopes."""
        tables = self.pipeline.outputs["tables"]
        reader = AggregatesReader(self.pipeline.deployed.client("dynamodb"), tables["aggregates"])
        return {
            (str(scope), row.key.window.label, row.key.metric): (
                row.value,
                row.event_count,
                row.input_hash,
                row.defs_version,
            )
            for scope in SCOPES
            for width in WindowWidth
            for row in reader.query(
                scope, width, start=DAY, end=DAY + timedelta(days=1), version=Version(version)
            )
        }

    def archived(self) -> set[tuple[str, str]]:
        """Return key and hash of each object of the archive."""
        s3 = self.pipeline.deployed.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.pipeline.outputs["data_bucket"], Prefix="archive/"
        )
        return {(each["Key"], each["ETag"]) for page in pages for each in page.get("Contents", ())}


@pytest.fixture(scope="module")
def edits() -> list[bytes]:
    """The user's edits of the sample, as events of another year and source."""
    with gzip.open(WIKITICKER) as lines:
        rows = [row for row in map(orjson.loads, lines) if row["user"] == USER]
    return [
        orjson.dumps(
            {
                "event_type": "replayed-edit",
                "entity_id": row["user"],
                "event_time": row["time"].replace("2015-", "2013-"),
                "source": SOURCE,
                "payload": row,
            }
        )
        for row in rows
    ]


@pytest.fixture(scope="module")
def replaying(pipeline, edits, tmp_path_factory) -> Replaying:
    """The user's day, sent and settled."""
    file = tmp_path_factory.mktemp("replay") / "edits.ndjson"
    file.write_bytes(b"\n".join(edits) + b"\n")
    before = pipeline.put(file)
    pipeline.settled(before["received"] + len(edits))
    dynamodb, tables = pipeline.deployed.client("dynamodb"), pipeline.outputs["tables"]
    entries = list(
        IndexReader(dynamodb, tables["event_index"]).all_events_of(
            USER, DAY, DAY + timedelta(days=1)
        )
    )
    ledger = DynamoLedger(dynamodb, tables["commits"])
    commits = {(e.shard, e.first_seq): ledger.load(e.shard, e.first_seq) for e in entries}
    planned = [PlannedEvent.of(each, commits[each.shard, each.first_seq]) for each in entries]
    mark = next(iter(commits.values())).head.marks[Stage.ENRICHED]
    return Replaying(pipeline, planned, str(mark["defs_version"]))


@pytest.fixture
def untouched(replaying) -> Iterator[None]:
    """Live rows and the archive are after the test what they were before."""
    before = replaying.rows(), replaying.archived()
    yield
    wait_until(replaying.all_delivered, DEADLINE_S, 0.5)
    assert (replaying.rows(), replaying.archived()) == before


@pytest.mark.usefixtures("untouched")
def test_a_replay_equals_live(replaying, edits):
    """Each message twice, shuffled, one that names nothing: the rows of live, with equal inputs."""
    replay = replaying.start("1766914300")
    messages = replaying.messages(replay)
    missing = replace(messages[0], s3_key=f"{messages[0].s3_key}-gone")
    bodies = [each.to_json() for each in [*messages, missing]] * 2
    Random(7).shuffle(bodies)
    replaying.send([*bodies, "not JSON"])
    done = Progress(enriched=len(edits), counted=len(edits), skipped=1)
    wait_until(lambda: replaying.progress(replay) == done, DEADLINE_S, 0.5)
    wait_until(replaying.all_delivered, DEADLINE_S, 0.5)
    live = replaying.rows()
    assert len({scope for scope, _, _ in live}) == len(SCOPES)
    assert replaying.rows(replay.version) == live
    (skipped,) = replaying.ledger.skipped(replay.replay_id)
    assert skipped.reason == "object_missing"


@pytest.mark.usefixtures("untouched")
def test_a_dry_run_counts_nothing(replaying, edits):
    """Every event is read and enriched, and no row of its version comes to be."""
    replay = replaying.start("1766914301", dry_run=True)
    replaying.send([each.to_json() for each in replaying.messages(replay)])
    done = Progress(enriched=len(edits), counted=0, skipped=0)
    wait_until(lambda: replaying.progress(replay) == done, DEADLINE_S, 0.5)
    wait_until(replaying.all_delivered, DEADLINE_S, 0.5)
    assert replaying.rows(replay.version) == {}


def test_nothing_ends_in_a_dead_letter_queue(replaying):
    """What can never be processed is skipped, not given up."""
    assert replaying.pipeline.status()["dead_letter_queues"]["replay"] == 0
