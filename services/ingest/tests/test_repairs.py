"""Repairing discarded batches, on fakes: from payload and stream, in steps, refused, abandoned."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import orjson
import pytest
from moto import mock_aws

from ingest.adapters.stream import KinesisRange
from ingest.domain.records import StreamRecord
from ingest.handler import handle_discarded
from ingest.repairs import Repairs
from ingest.service import Ingest
from ingest.settings import IngestSettings
from millrace.commit import SeqRange, ShardKey
from millrace.discarded.abandoning import Abandoning
from millrace.discarded.batch import Closing, State
from millrace.discarded.request import Action, DiscardedAnswer, DiscardedRequest
from millrace.errors import RetryableError
from millrace.identity import gate_key
from millrace_testing.builders import ARRIVAL, SHARD, event_bytes, kinesis_event
from millrace_testing.discards import discarded_batch
from millrace_testing.fakes import FixedClock
from millrace_testing.lambda_context import lambda_context

pytestmark = pytest.mark.batch

KEY = "aws/lambda/uuid/shardId-000000000000/2025/12/28/x"
DATAS = [event_bytes(n) for n in range(4)] + [b"not json"]
ELSEWHERE = ShardKey(SHARD.incarnation, "shardId-000000000001")


class FakeRange:
    """`ingest.ports.StreamRange` over a list."""

    def __init__(self, records: list[StreamRecord]) -> None:
        self.held = records

    def records(self, shard_id: str, within: SeqRange) -> list[StreamRecord]:
        assert shard_id == SHARD.shard_id
        return [each for each in self.held if within.first <= each.seq <= within.last]


class Down:
    """A bucket that refuses everything."""

    def put_new(self, key: str, body: bytes) -> bool:
        raise RetryableError(f"{key}: {len(body)} bytes")


class Case:
    """A batch of five records that passed the gate, failed, was noted; later work went on."""

    def __init__(self, world: Any, stream: Any) -> None:
        self.world = world
        self.records = stream(DATAS)
        down: Any = Down()
        assert replace(world.service, objects=down).ingest(SHARD, self.records, "x").retry_from
        self.batch = discarded_batch(100, 104, payload_key=KEY)
        world.discards.note(self.batch)
        world.objects.put_new(KEY, self.document())
        world.deliver(stream([event_bytes(50)], 105))
        self.range = FakeRange([])

    def document(self) -> bytes:
        return orjson.dumps({"payload": orjson.dumps(kinesis_event(DATAS)).decode()})

    def repairs(
        self,
        service: Ingest | None = None,
        age: timedelta = timedelta(),
        incarnation: str = SHARD.incarnation,
    ) -> Repairs:
        world = self.world
        return Repairs(
            ingest=service or world.service,
            discards=world.discards,
            abandonments=world.discards,
            payloads=world.objects,
            stream=self.range,
            incarnation=incarnation,
            clock=FixedClock(ARRIVAL + age),
            horizon=timedelta(days=30),
        )

    def ask(self, action: Action, repairs: Repairs | None = None, **more: Any) -> DiscardedAnswer:
        request = DiscardedRequest.about(action, self.batch, 10)
        return (repairs or self.repairs()).run(request, "r", **more).answer

    def state(self) -> State:
        found = self.world.discards.find(SHARD, self.batch.range)
        return found.state


@pytest.fixture
def case(world, stream) -> Case:
    return Case(world, stream)


def test_a_payload_is_committed_under_its_own_numbers(case):
    """All five: four events and a reject; then the batch is closed, and the watermark stands."""
    answer = case.ask(Action.REPAIR)
    assert (answer.source, answer.committed, answer.accepted, answer.quarantined) == (
        "payload", 5, 4, 1,
    )  # fmt: skip
    assert (answer.done, answer.missing, answer.duplicates) == (True, 0, 0)
    assert [head.first_seq for head in case.world.ledger.heads(SHARD)] == [100, 105]
    assert case.world.ledger.read(SHARD).committed_seq == 105
    assert case.state() is State.REPAIRED
    again = case.ask(Action.REPAIR)
    assert (again.done, again.committed, again.covered) == (True, 0, 5)


def test_without_a_payload_the_stream_is_read(case):
    """As when the object's lifecycle has removed it."""
    del case.world.objects.bodies[KEY]
    case.range.held = case.records
    answer = case.ask(Action.REPAIR)
    assert (answer.source, answer.committed, answer.done) == ("stream", 5, True)
    assert case.state() is State.REPAIRED


def test_a_batch_of_the_stream_before_is_repaired_from_its_payload(case):
    """The stream was recreated since: its shards have the same ids, and hold nothing of it."""
    answer = case.ask(Action.REPAIR, case.repairs(incarnation="the-next"))
    assert (answer.source, answer.committed, answer.done) == ("payload", 5, True)
    assert case.state() is State.REPAIRED


def test_the_stream_is_not_asked_for_what_one_before_it_held(case):
    """A range of the same numbers on the new stream would be other records."""
    del case.world.objects.bodies[KEY]
    case.range.held = case.records
    answer = case.ask(Action.REPAIR, case.repairs(incarnation="the-next"))
    assert "neither" in answer.refused
    assert case.state() is State.OPEN


def test_what_the_stream_has_lost_stays_open(case):
    """What is left is committed before it goes as well; what is missing is for abandoning."""
    del case.world.objects.bodies[KEY]
    case.range.held = case.records[3:]
    answer = case.ask(Action.REPAIR)
    assert (answer.committed, answer.missing, answer.done) == (2, 3, True)
    assert case.state() is State.OPEN


def test_nothing_anywhere_is_refused(case):
    """With what to do about it."""
    del case.world.objects.bodies[KEY]
    answer = case.ask(Action.REPAIR)
    assert "abandon" in answer.refused
    assert (answer.missing, answer.done) == (5, False)


def test_a_preview_changes_nothing(case):
    """It says what is covered and what would be offered."""
    before = dict(case.world.ledger.commits)
    answer = case.ask(Action.PREVIEW)
    assert (answer.to_commit, answer.accepted, answer.quarantined) == (5, 4, 1)
    assert case.world.ledger.commits == before
    assert case.state() is State.OPEN


def test_records_are_shown_with_their_verdicts(case):
    """As ingest would judge them."""
    shown = case.ask(Action.SHOW).shown
    assert [each["sequence"] for each in shown] == ["100", "101", "102", "103", "104"]
    assert orjson.loads(shown[0]["parts"][0]["data"])["event_id"] == "event-0"
    assert shown[4]["parts"][0]["rejected"] == "not_json"


def test_when_time_is_short_the_next_call_goes_on(case):
    """A repair in steps ends as one in one go."""
    answers = iter([True, False])
    first = case.ask(Action.REPAIR, has_time=lambda: next(answers, False))
    assert not first.done
    assert case.ask(Action.REPAIR).done
    assert case.state() is State.REPAIRED


def test_what_stopped_a_call_is_in_its_answer(case):
    """Whoever repeats knows why."""
    down: Any = Down()
    answer = case.ask(Action.REPAIR, case.repairs(replace(case.world.service, objects=down)))
    assert not answer.done
    assert "raw/" in answer.error
    assert case.ask(Action.REPAIR).done


def test_past_the_horizon_nothing_is_repaired(case):
    """What was sent again since is not known any more: it could count twice."""
    answer = case.ask(Action.REPAIR, case.repairs(age=timedelta(days=30)))
    assert "30 days" in answer.refused
    assert not list(case.world.ledger.covered(SHARD, case.batch.range))


def test_an_unknown_range_is_refused(case):
    """Only what the mapping gave up can be repaired."""
    request = DiscardedRequest(Action.REPAIR, SHARD, SeqRange(100, 103))
    assert "no batch" in case.repairs().run(request, "r").answer.refused


def abandon(case: Case) -> None:
    discards = case.world.discards
    closing = Closing(State.ABANDONED, ARRIVAL, "ada", "gone")
    Abandoning(case.world.ledger, discards, discards).abandon(case.batch, closing)


def test_a_resend_is_accepted_once_when_the_batch_is_abandoned(case, stream):
    """Before, it is a duplicate of something never stored; after, it is new, and only once."""
    world = case.world
    before = world.service.ingest(ELSEWHERE, stream(DATAS, 500), "before")
    assert (before.counts.accepted, before.counts.duplicates) == (0, 4)
    abandon(case)
    after = world.service.ingest(ELSEWHERE, stream(DATAS, 600), "after")
    assert (after.counts.accepted, after.counts.duplicates) == (4, 0)
    again = world.service.ingest(ELSEWHERE, stream(DATAS, 700), "again")
    assert (again.counts.accepted, again.counts.duplicates) == (0, 4)


def test_an_abandoned_batch_is_never_repaired(case):
    """Its events may have been sent again."""
    abandon(case)
    assert "abandoned" in case.ask(Action.REPAIR).refused
    result = case.world.service.repair(SHARD, case.records, "r")
    assert (result.committed, result.already_committed) == (0, 5)


def test_a_delivery_of_an_abandoned_batch_is_dropped(case):
    """A zombie of the mapping that begins anew finds the watermark behind the range."""
    abandon(case)
    result = case.world.deliver(case.records)
    assert (result.committed, result.already_committed) == (0, 5)


def test_who_cannot_be_replaced_now_is_tried_again(case, stream, monkeypatch):
    """Somebody was faster: the record is unresolved, and the retry finds the new owner."""
    abandon(case)
    monkeypatch.setattr(case.world.gate, "take_over", lambda *_: {})
    result = case.world.service.ingest(ELSEWHERE, stream(DATAS, 600), "x")
    assert (result.committed, result.retry_from) == (0, 600)


def test_the_handler_answers_operators(case, capsys):
    """Lambda's entry takes the request beside the mapping's batches, and reports the metrics."""
    settings = IngestSettings(
        stream_incarnation=SHARD.incarnation, stream_arn="arn", data_bucket="data",
        commits_table="commits", gate_table="gate", enrich_queue_url="https://queue",
    )  # fmt: skip
    event = DiscardedRequest.about(Action.REPAIR, case.batch).as_event()
    answer = handle_discarded(event, lambda_context(), case.repairs(), settings)
    assert DiscardedAnswer.parse(orjson.loads(orjson.dumps(answer))).accepted == 4


def test_throttled_events_are_left_for_the_next_call(case):
    """The prefix is committed, the rest later."""
    case.world.gate.throttled = {gate_key("web", "event-2")}
    first = case.ask(Action.REPAIR)
    assert (first.committed, first.done) == (2, False)
    case.world.gate.throttled = set()
    second = case.ask(Action.REPAIR)
    assert (second.committed, second.covered, second.done) == (3, 2, True)


def test_a_range_is_read_from_kinesis(monkeypatch):
    """From its first record to its last, nothing else; nothing of a shard that is gone."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("kinesis", region_name="us-east-1")
        client.create_stream(StreamName="events", ShardCount=1)
        summary = client.describe_stream_summary(StreamName="events")["StreamDescriptionSummary"]
        put = [
            client.put_record(StreamName="events", Data=b"%d" % n, PartitionKey="k")
            for n in range(5)
        ]
        numbers = [int(each["SequenceNumber"]) for each in put]
        reader = KinesisRange(client, summary["StreamARN"])
        found = reader.records(put[0]["ShardId"], SeqRange(numbers[1], numbers[3]))
        assert [each.data for each in found] == [b"1", b"2", b"3"]
        assert [each.seq for each in found] == numbers[1:4]
        assert reader.records("shardId-000000000042", SeqRange(1, 2)) == []
