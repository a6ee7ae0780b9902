"""Discarded batches: notices, deadlines, what is given up."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from millrace.commit import Checkpoint, Owner, SeqRange, ShardKey
from millrace.discarded.abandoning import (
    AbandonedRanges,
    Abandoning,
    NothingToAbandon,
    holes_in,
)
from millrace.discarded.batch import Closing, State
from millrace.discarded.deadline import Keeping, Source, deadline_of, most_urgent_first
from millrace.discarded.notice import (
    MalformedNotice,
    object_keys,
    payload_records,
    read_notice,
)
from millrace.discarded.request import Action, DiscardedRequest, MalformedRequest
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes, kinesis_event
from millrace_testing.discards import FakeDiscards, discarded_batch
from millrace_testing.fakes import FakeLedger

KEEPING = Keeping(SHARD.incarnation, stream=timedelta(hours=24), duplicates=timedelta(days=30))
CLOSING = Closing(State.ABANDONED, ARRIVAL, "ada", "sent again")
# The invocation record as AWS documents it:
# https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
RECORD = {
    "requestContext": {
        "requestId": "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5",
        "functionArn": "arn:aws:lambda:us-east-2:123456789012:function:myfunction",
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 1,
    },
    "responseContext": {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    },
    "version": "1.0",
    "timestamp": "2019-11-14T00:38:06.021Z",
    "KinesisBatchInfo": {
        "shardId": "shardId-000000000001",
        "startSequenceNumber": "49601189658422359378836298521827638475320189012309704722",
        "endSequenceNumber": "49601189658422359378836298522902373528957594348623495186",
        "approximateArrivalOfFirstRecord": "2019-11-14T00:38:04.835Z",
        "approximateArrivalOfLastRecord": "2019-11-14T00:38:05.580Z",
        "batchSize": 500,
        "streamArn": "arn:aws:kinesis:us-east-2:123456789012:stream/mystream",
    },
}
S3_EVENTS = Path(__file__).parents[4] / "shared/data/lambda-event-fixtures"


def test_the_documented_record_is_read():
    """Range, shard, arrival, reason: with sequence numbers of 56 digits."""
    batch = read_notice(orjson.dumps(RECORD), "1a2b3c4d", "aws/lambda/x")
    assert batch.shard == ShardKey("1a2b3c4d", "shardId-000000000001")
    assert batch.range.first == 49601189658422359378836298521827638475320189012309704722
    assert (batch.records, batch.attempts, batch.error) == (500, 1, "Unhandled")
    assert (batch.condition, batch.payload_key) == ("RetryAttemptsExhausted", "aws/lambda/x")
    assert batch.first_arrival.isoformat() == "2019-11-14T00:38:04.835000+00:00"


def test_a_record_that_was_too_old_has_no_response():
    """RecordAgeExceeded comes without a responseContext."""
    record = {name: value for name, value in RECORD.items() if name != "responseContext"}
    assert read_notice(orjson.dumps(record), "1a2b3c4d", None).error == ""


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"KinesisBatchInfo": {}}'])
def test_what_is_no_record_is_refused(document):
    """A foreign object is an error with its name, not a batch."""
    with pytest.raises(MalformedNotice, match="aws/lambda/x"):
        read_notice(document, "1a2b3c4d", "aws/lambda/x")


@pytest.mark.skipif(not S3_EVENTS.is_dir(), reason="../shared/data is not beside this checkout")
def test_the_official_notification_names_its_object():
    """Keys come decoded; what S3 sends to try the way names none."""
    found = sorted(S3_EVENTS.rglob("*s3Event.json"))
    assert found
    for file in found:
        assert all(object_keys(file.read_text(encoding="utf-8-sig")))
    body = {"Records": [{"s3": {"object": {"key": "aws/lambda/a%3Ab/2025-12-28T09.30.00-x+y"}}}]}
    assert object_keys(orjson.dumps(body).decode()) == ["aws/lambda/a:b/2025-12-28T09.30.00-x y"]
    assert object_keys('{"Service": "Amazon S3", "Event": "s3:TestEvent"}') == []
    for bad in ("", "[]", "{}", '{"Records": [{}]}'):
        with pytest.raises(MalformedNotice):
            object_keys(bad)


def test_a_payload_is_text_or_an_object():
    """As recorded of the service, and as the pages could be read."""
    event = kinesis_event([b"a", b"b"])
    for payload in (event, orjson.dumps(event).decode()):
        assert payload_records(orjson.dumps({"payload": payload})) == event["Records"]
    for bad in (b"", b"{}", b'{"payload": "x"}'):
        with pytest.raises(MalformedNotice):
            payload_records(bad)


@pytest.mark.parametrize(
    ("age", "has_payload", "source", "left"),
    [
        (timedelta(hours=1), True, Source.PAYLOAD, timedelta(days=29, hours=23)),
        (timedelta(hours=1), False, Source.STREAM, timedelta(hours=23)),
        (timedelta(hours=25), False, Source.NOWHERE, timedelta()),
        (timedelta(days=31), True, Source.NOWHERE, timedelta()),
    ],
)
def test_time_runs_out(age, has_payload, source, left):
    """A payload is good until duplicates are forgotten, the stream until it drops the record."""
    now = ARRIVAL + age
    found = deadline_of(discarded_batch(), KEEPING, now, has_payload=has_payload)
    assert (found.source, found.left(now)) == (source, left)


def test_a_stream_holds_nothing_of_the_one_before_it():
    """Its shards have the same names: only a payload is left of a batch of the old one."""
    batch = discarded_batch(shard=ShardKey("before", SHARD.shard_id))
    now = ARRIVAL + timedelta(hours=1)
    assert deadline_of(batch, KEEPING, now, has_payload=True).source is Source.PAYLOAD
    lost = deadline_of(batch, KEEPING, now, has_payload=False)
    assert (lost.source, lost.left(now)) == (Source.NOWHERE, timedelta())


def test_the_most_urgent_comes_first():
    """By the time left; what is lost already cannot be hurried."""
    now = ARRIVAL + timedelta(hours=20)
    old = replace(discarded_batch(1, 1), first_arrival=ARRIVAL - timedelta(hours=1))
    lost = replace(discarded_batch(2, 2), first_arrival=ARRIVAL - timedelta(days=2))
    kept = discarded_batch(3, 3)
    batches = [(kept, True), (lost, False), (discarded_batch(4, 4), False), (old, False)]
    ranked = most_urgent_first(
        (each, deadline_of(each, KEEPING, now, has_payload=payload)) for each, payload in batches
    )
    assert [batch.range.first for batch, _ in ranked] == [1, 4, 3, 2]


def test_holes_are_what_no_range_holds():
    """Ranges may begin before, end behind, touch, or not be there at all."""
    within = SeqRange(10, 20)
    assert holes_in(within, []) == [within]
    assert holes_in(within, [SeqRange(5, 12), SeqRange(13, 13), SeqRange(18, 30)]) == [
        SeqRange(14, 17)
    ]
    assert holes_in(within, [SeqRange(12, 13)]) == [SeqRange(10, 11), SeqRange(14, 20)]
    assert holes_in(within, [SeqRange(1, 30)]) == []


def test_only_what_no_commit_holds_is_given_up():
    """An owner in a commit of the range stays; the others may be replaced."""
    ledger = FakeLedger()
    discards = FakeDiscards(ledger)
    commit, _ = commit_of([event_bytes(n) for n in range(2)], first_seq=102)
    ledger.commit(Checkpoint(), Checkpoint(1, 110, ()), commit)
    batch = discarded_batch(100, 106)
    discards.note(batch)
    abandoning = Abandoning(ledger, discards, discards)
    assert abandoning.abandon(batch, CLOSING) == [SeqRange(100, 101), SeqRange(104, 106)]
    ranges = AbandonedRanges(discards.abandoned())
    lost = [seq for seq in range(99, 108) if ranges.hold(Owner(str(SHARD), seq, 0))]
    assert lost == [100, 101, 104, 105, 106]
    assert not ranges.hold(Owner("1a2b3c4d#shardId-000000000001", 100, 0))
    with pytest.raises(NothingToAbandon):
        abandoning.abandon(batch, CLOSING)


def test_what_is_repaired_cannot_be_given_up():
    """All of it is in commits: there is nothing to abandon."""
    ledger = FakeLedger()
    discards = FakeDiscards(ledger)
    commit, _ = commit_of([event_bytes(n) for n in range(5)])
    ledger.commit(Checkpoint(), Checkpoint(1, 110, ()), commit)
    discards.note(discarded_batch())
    with pytest.raises(NothingToAbandon, match="in a commit"):
        Abandoning(ledger, discards, discards).abandon(discarded_batch(), CLOSING)


def test_a_request_survives_the_way():
    """What is asked is what arrives; no more is shown than an answer takes."""
    request = DiscardedRequest.about(Action.SHOW, discarded_batch(), 10)
    assert DiscardedRequest.parse(request.as_event()) == request
    greedy = DiscardedRequest.about(Action.SHOW, discarded_batch(), 10_000)
    assert DiscardedRequest.parse(greedy.as_event()).limit == 200
    for bad in (
        {},
        {"discarded": {}},
        {"discarded": request.as_event()["discarded"] | {"first": ""}},
    ):
        with pytest.raises(MalformedRequest):
            DiscardedRequest.parse(bad)
