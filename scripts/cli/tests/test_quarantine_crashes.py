"""Recovery broken at each of its AWS calls, and at random pairs of them, on the local engine."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any
from uuid import uuid4

import orjson
import pytest

from millrace.aws.arrivals import KinesisShards
from millrace.aws.ledger import DynamoLedger
from millrace.aws.ledger_items import head_item
from millrace.aws.objects import S3Objects
from millrace.aws.quarantine import DynamoArrivedCommits, DynamoMarks, DynamoRules
from millrace.commit import ShardKey
from millrace.event import EventLimits, parse_event
from millrace.quarantine.reading import Quarantine
from millrace.quarantine.recovering import Actor, Progress, Recovery, recoverable
from millrace.quarantine.rule_text import RuleOptions, rule_of_options
from millrace.quarantine.selection import Selection
from millrace_cli.kinesis import KinesisStream
from millrace_cli.quarantine_door import StreamDoor
from millrace_testing.builders import ARRIVAL, event_fields
from millrace_testing.crash.clients import clients_on
from millrace_testing.crash.explore import explore, explore_pairs
from millrace_testing.crash.wire import Fault, FaultKind, Wire
from millrace_testing.fakes import FixedClock
from millrace_testing.quarantine import rejected_commit
from millrace_testing.tables import COMMITS, create_table

pytestmark = [pytest.mark.engine, pytest.mark.validation]

COMMITS_OF_STORY, RECORDS, BATCH = 3, 4, 5
RULE = rule_of_options(RuleOptions(rename=("ts=event_time",)))
SELECTION = recoverable(Selection(ARRIVAL - timedelta(days=1), ARRIVAL + timedelta(days=1)))
KINDS = (
    FaultKind.CRASH_BEFORE,
    FaultKind.CRASH_AFTER,
    FaultKind.TIMEOUT_AFTER,
    FaultKind.PAUSE_BEFORE,
    FaultKind.PAUSE_AFTER,
)
_stories = count(1)


@dataclass
class Operator:
    """One operator's clients: what a kill takes with it."""

    dynamodb: Any
    s3: Any
    kinesis: Any
    suffix: str
    stream_arn: str = ""

    @classmethod
    def on(cls, endpoint: str, suffix: str, wire: Wire | None = None) -> "Operator":
        return cls(*clients_on(endpoint, "dynamodb", "s3", "kinesis", wire=wire), suffix)

    def quarantine(self, incarnation: str) -> Quarantine:
        ledger = DynamoLedger(self.dynamodb, self.table)
        commits = DynamoArrivedCommits(
            ledger, KinesisShards(self.kinesis, self.stream_arn, incarnation)
        )
        objects = S3Objects(self.s3, f"data-{self.suffix}")
        return Quarantine(commits, objects, DynamoMarks(self.dynamodb, self.table), incarnation)

    @property
    def table(self) -> str:
        return f"commits-{self.suffix}"

    def recover(self, incarnation: str) -> Progress:
        progress = Progress()
        Recovery(
            DynamoMarks(self.dynamodb, self.table),
            DynamoRules(self.dynamodb, self.table),
            StreamDoor(KinesisStream(self.kinesis, self.stream_arn)),
            FixedClock(ARRIVAL),
            EventLimits(),
            batch_events=BATCH,
        ).recover(self.quarantine(incarnation).commits(SELECTION), RULE, Actor("ann"), progress)
        return progress


class RecoverStory:
    """Some commits' rejects, recovered; the operator is killed, a second one too, a third ends it.

    An incarnation of the stream is a world of its own in the one table and on the one shard.
    """

    def __init__(self, first: Operator, second: Operator, clean: Operator, shard_id: str) -> None:
        self.first, self.second, self.clean = first, second, clean
        self.incarnation = f"{next(_stories):08x}"
        shard = ShardKey(self.incarnation, shard_id)
        self.source = f"s{self.incarnation}"
        for number in range(COMMITS_OF_STORY):
            datas = [self.rejected(number * RECORDS + n) for n in range(RECORDS)]
            commit, body = rejected_commit(datas, shard=shard, first_seq=100 * (number + 1))
            key = f"{self.incarnation}-{number}"
            item = head_item(commit.head) | {"quarantine_key": {"S": key}}
            clean.dynamodb.put_item(TableName=clean.table, Item=item)
            clean.s3.put_object(Bucket=f"data-{clean.suffix}", Key=key, Body=body)
        self.begin = clean.kinesis.get_shard_iterator(
            StreamARN=clean.stream_arn, ShardId=shard_id, ShardIteratorType="LATEST"
        )["ShardIterator"]

    def rejected(self, number: int) -> bytes:
        """Return an event without an id whose time has another name."""
        fields = event_fields(number, source=self.source)
        fields["ts"] = fields.pop("event_time")
        del fields["event_id"]
        return orjson.dumps(fields)

    def attempt(self) -> None:
        """Recover until killed."""
        self.first.recover(self.incarnation)

    def retry(self) -> None:
        """Recover again, until killed too."""
        self.second.recover(self.incarnation)

    def recover(self) -> None:
        """Recover to the end, and once more: that one sends nothing."""
        self.clean.recover(self.incarnation)
        assert self.clean.recover(self.incarnation).sent == 0

    def observe(self) -> dict[str, Any]:
        """Return what ingest would make of the stream, duplicates dropped, and the marks."""
        events = [parse_event(data, ARRIVAL, EventLimits()) for data in self.put()]
        mine = [event for event in events if event.source == self.source]
        held = self.clean.quarantine(self.incarnation).records(
            Selection(SELECTION.start, SELECTION.end)
        )
        return {
            "events": sorted(event.fields.payload["number"] for event in
                             {event.gate_key: event for event in mine}.values()),
            "contents": len({(event.gate_key, event.content_hash) for event in mine}),
            "states": Counter(each.state.value for each in held),
        }  # fmt: skip

    def put(self) -> Iterator[bytes]:
        """Yield what was put on the stream since the story began."""
        iterator = self.begin
        while True:
            answer = self.clean.kinesis.get_records(
                ShardIterator=iterator, StreamARN=self.clean.stream_arn
            )
            if not answer["Records"]:
                return
            yield from (record["Data"] for record in answer["Records"])
            iterator = answer["NextShardIterator"]


@pytest.fixture(scope="module")
def stage(engine) -> tuple[Any, tuple[Wire, Wire]]:
    wires, suffix = (Wire(), Wire()), uuid4().hex[:8]
    clean = Operator.on(engine.endpoint, suffix)
    create_table(clean.dynamodb, clean.table, COMMITS)
    clean.s3.create_bucket(Bucket=f"data-{suffix}")
    clean.kinesis.create_stream(StreamName=f"events-{suffix}", ShardCount=1)
    summary = clean.kinesis.describe_stream_summary(StreamName=f"events-{suffix}")
    clean.stream_arn = summary["StreamDescriptionSummary"]["StreamARN"]
    operators = [Operator.on(engine.endpoint, suffix, wire) for wire in wires]
    for each in operators:
        each.stream_arn = clean.stream_arn
    shard_id = "shardId-000000000000"
    return lambda: RecoverStory(*operators, clean, shard_id), wires


def test_a_kill_at_any_call_of_a_recovery_loses_and_doubles_nothing(stage, figures) -> None:
    """Before or after each call: the same rule ends it, and each event has one id."""
    story, wires = stage
    outcome = explore(story, wires[0], (FaultKind.CRASH_BEFORE, FaultKind.CRASH_AFTER))
    figures(f"quarantine recover: {outcome.summary()}")
    assert outcome.survivors == outcome.points, str(outcome)
    assert outcome.calls.count("PutRecords") == 3
    assert {"PutItem", "BatchGetItem", "S3 GET", "Query"} <= set(outcome.calls)


def test_two_recoveries_broken_at_50_random_places_lose_and_double_nothing(stage, figures) -> None:
    """Killed, unanswered, or overlapping as zombies: all is recovered, each event by one id."""
    story, wires = stage

    def pairs(calls: int, retry_calls: int) -> Iterator[tuple[Fault, Fault]]:
        draw = Random(19)
        for _ in range(50):
            first = Fault(draw.randrange(calls), draw.choice(KINDS))
            yield first, Fault(draw.randrange(retry_calls), draw.choice(KINDS))

    outcome = explore_pairs(story, wires, pairs)
    figures(f"quarantine recover, twice broken: {outcome.summary()}")
    assert (outcome.points, outcome.survivors) == (50, 50), str(outcome)
