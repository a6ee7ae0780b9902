"""The event index and the reading of single events, on moto and on fakes."""

import re
from datetime import timedelta
from typing import Any

import boto3
import pytest

from millrace.aws.events import EventReader
from millrace.aws.index import (
    DynamoIndexPages,
    DynamoIndexWriter,
    IndexReader,
    page_item,
    page_key,
)
from millrace.aws.ledger import DynamoLedger
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.aws.objects import S3Objects
from millrace.commit import Checkpoint, CommittedLine, Owner
from millrace.errors import CommitMissing, ConfigError, ObjectMissing, RetryableError
from millrace.identity import gate_key
from millrace.index import pages_of
from millrace.stored import LineMissing
from millrace.times import to_epoch_ms
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes, index_entry
from millrace_testing.contracts.index import IndexContract
from millrace_testing.fakes import FakeIndex, FakeLedger, FakeObjects
from millrace_testing.tables import COMMITS, EVENT_INDEX, GATE, create_table

DAY = ARRIVAL.date()


@pytest.fixture
def dynamodb(aws) -> Any:
    client = boto3.client("dynamodb")
    create_table(client, "event_index", EVENT_INDEX)
    create_table(client, "gate", GATE)
    return client


class DynamoIndex(DynamoIndexPages):
    """Both faces of the adapter, as two processes have them."""

    def __init__(self, client: Any, buckets: int) -> None:
        super().__init__(client, "event_index")
        writer = DynamoIndexWriter(client, "event_index", buckets)
        self.settled_buckets, self.write = writer.settled_buckets, writer.write


class TestFakeIndex(IndexContract):
    """The fake."""

    @pytest.fixture
    def new_index(self):
        index = FakeIndex()

        def same(buckets: int) -> FakeIndex:
            index.buckets = buckets
            return index

        return same


class TestDynamoIndex(IndexContract):
    """The adapter, on moto."""

    @pytest.fixture
    def new_index(self, dynamodb):
        return lambda buckets: DynamoIndex(dynamodb, buckets)


class Half:
    """A DynamoDB client that does a part of each batch call, as AWS may; counts the calls."""

    def __init__(self, client: Any, at_once: int) -> None:
        self._client = client
        self._at_once = at_once
        self.calls: list[int] = []

    def batch_write_item(self, RequestItems: dict[str, Any]) -> Any:  # noqa: N803
        ((table, requests),) = RequestItems.items()
        self.calls.append(len(requests))
        if now := requests[: self._at_once]:
            self._client.batch_write_item(RequestItems={table: now})
        later = requests[self._at_once :]
        return {"UnprocessedItems": {table: later} if later else {}}

    def batch_get_item(self, RequestItems: dict[str, Any], **options: Any) -> Any:  # noqa: N803
        ((table, wanted),) = RequestItems.items()
        keys = wanted["Keys"]
        self.calls.append(len(keys))
        answer: dict[str, Any] = {"Responses": {table: []}, "UnprocessedKeys": {}}
        if now := keys[: self._at_once]:
            asked = {table: wanted | {"Keys": now}}
            answer |= self._client.batch_get_item(RequestItems=asked, **options)
        if later := keys[self._at_once :]:
            answer["UnprocessedKeys"] = {table: wanted | {"Keys": later}}
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def pages(number: int):
    """Return pages of one event each, all in one partition."""
    return [
        page
        for n in range(number)
        for page in pages_of([index_entry(n, first_seq=n)], ARRIVAL, {DAY: 1})
    ]


def test_a_page_is_one_item_under_a_key_for_people(dynamodb):
    """Bucket, event day, arrival and commit can be read off the key; parts follow it."""
    entry = index_entry(entity_id="e")
    (page,) = pages_of([entry], ARRIVAL, {DAY: 1})
    item = from_attributes(page_item(page))
    assert (item["PK"], item["SK"]) == (
        "0#2025-12-28",
        "1766914200000#1a2b3c4d-shardId-000000000000-100",
    )
    assert set(item) == {"PK", "SK", "events", "body"}
    parts = pages_of(
        [index_entry(n, entity_id="e", line=n) for n in range(2)], ARRIVAL, {DAY: 1}, 1
    )
    assert [page_key(each)["SK"]["S"][-9:] for each in parts] == ["-100#0000", "-100#0001"]


def test_what_is_left_unwritten_is_written_again(dynamodb):
    """Pages that DynamoDB left are sent until all are stored, waiting in between, 25 a call.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
    """
    client, waits = Half(dynamodb, at_once=10), []
    DynamoIndexWriter(client, "event_index", 1, waits.append).write(pages(30))
    assert client.calls == [25, 15, 5, 5]
    assert len(waits) == 2
    assert len(list(DynamoIndexPages(dynamodb, "event_index").bodies(DAY, 0))) == 30


def test_pages_that_stay_unwritten_fail_the_reference(dynamodb):
    """Nothing is marked as indexed that is not; the waits grow, within bounds."""
    waits: list[float] = []
    writer = DynamoIndexWriter(Half(dynamodb, at_once=0), "event_index", 1, waits.append)
    with pytest.raises(RetryableError, match="items unwritten after 8 attempts: 3"):
        writer.write(pages(3))
    assert len(waits) == 7
    assert max(waits) <= 3


def test_a_write_that_broke_off_is_completed(dynamodb):
    """Stopped between two calls, the pages written again are the same items and the rest."""

    class Broken(Half):
        def batch_write_item(self, RequestItems: dict[str, Any]) -> Any:  # noqa: N803
            if self.calls:
                raise ConnectionResetError
            return super().batch_write_item(RequestItems)

    with pytest.raises(ConnectionResetError):
        DynamoIndexWriter(Broken(dynamodb, 25), "event_index", 1).write(pages(40))
    halfway = dynamodb.scan(TableName="event_index")["Items"]
    DynamoIndexWriter(dynamodb, "event_index", 1).write(pages(40))
    whole = dynamodb.scan(TableName="event_index")["Items"]
    assert (len(halfway), len(whole)) == (25, 40)
    assert all(item in whole for item in halfway)


def test_days_left_unread_are_asked_again(dynamodb):
    """A short answer is not taken for days without events; one that stays short is an error."""
    days = [DAY - timedelta(days=n) for n in range(6)]
    DynamoIndexWriter(dynamodb, "event_index", 16).settled_buckets(days)
    waits: list[float] = []
    client = Half(dynamodb, at_once=4)
    found = DynamoIndexPages(client, "event_index", waits.append).bucket_counts(days)
    assert (len(found), client.calls) == (6, [6, 2])
    with pytest.raises(RetryableError, match="keys unread after 8 attempts: 6"):
        DynamoIndexPages(Half(dynamodb, 0), "event_index", waits.append).bucket_counts(days)


def test_a_known_day_is_not_asked_again(dynamodb):
    """In one process a day's bucket count is read once: it never changes."""
    client = Half(dynamodb, at_once=100)
    writer = DynamoIndexWriter(client, "event_index", 16)
    for _ in range(5):
        assert writer.settled_buckets([DAY]) == {DAY: 16}
    assert client.calls == [1, 1]  # not there yet, and after it was stored


def test_the_loser_of_a_race_takes_the_winners_count(dynamodb):
    """Two writers that both found nothing agree on the one that was stored."""

    class Late(Half):
        def put_item(self, **request: Any) -> Any:
            DynamoIndexWriter(dynamodb, "event_index", 3).settled_buckets([DAY])
            return dynamodb.put_item(**request)

    writer = DynamoIndexWriter(Late(dynamodb, at_once=100), "event_index", 16)
    assert writer.settled_buckets([DAY]) == {DAY: 3}


def test_a_missing_table_is_a_fault_of_the_deployment(dynamodb):
    """What no retry can mend is named."""
    for call in (
        lambda: DynamoIndexWriter(dynamodb, "none", 16).write(pages(1)),
        lambda: DynamoIndexPages(dynamodb, "none").bucket_counts([DAY]),
        lambda: list(DynamoIndexPages(dynamodb, "none").bodies(DAY, 0)),
    ):
        with pytest.raises(ConfigError, match="Requested resource not found"):
            call()


def test_the_reader_tells_what_reading_cost(dynamodb):
    """Query pages and read units are counted."""
    writer = DynamoIndexWriter(dynamodb, "event_index", 1)
    writer.settled_buckets([DAY])
    writer.write(pages(3))
    reader = IndexReader(dynamodb, "event_index")
    span = ARRIVAL - timedelta(days=1), ARRIVAL + timedelta(days=1)
    assert len(list(reader.all_events_of("user_1", *span))) == 1
    assert reader.cost.queries == 1
    assert reader.cost.units > 0


class Metered(S3Objects):
    """Counts the reads of a bucket."""

    reads: list[tuple[str, int, int]]

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        self.reads.append((key, offset, length))
        return super().get_range(key, offset, length)

    def get(self, key: str) -> bytes:
        raise AssertionError(f"the whole of {key} was read")


class Stored:
    """One commit of many gzip members, its gate items, and a reader of it."""

    def __init__(self, dynamodb: Any, ledger: Any, objects: Any, padding: int = 900) -> None:
        self.lines = [event_bytes(n, payload={"x": f"{n}" * padding}) for n in range(200)]
        self.repeated = CommittedLine(
            107, 0, to_epoch_ms(ARRIVAL), Owner(str(SHARD), 103, 0), conflict=True
        )
        self.commit, raw = commit_of(self.lines, duplicates={7: self.repeated})
        ledger.commit(Checkpoint(), Checkpoint(1, 299, ()), self.commit)
        objects.put_new(str(self.commit.head.raw_key), raw)
        self.dynamodb, self.ledger, self.objects = dynamodb, ledger, objects
        self.reader = EventReader(dynamodb, "gate", ledger, objects)

    def claim(self, number: int, seq: int) -> None:
        """Put the gate's item for an event as ingest does."""
        item = {
            "id": gate_key("web", f"event-{number}"),
            "owner": str(Owner(str(SHARD), seq, 0)),
            "content": b"12345678",
            "expires_at": 0,
        }
        self.dynamodb.put_item(TableName="gate", Item=to_attributes(item))


@pytest.fixture(params=["fakes", "aws"])
def stored(request, dynamodb) -> Stored:
    if request.param == "fakes":
        return Stored(dynamodb, FakeLedger(), FakeObjects())
    create_table(dynamodb, "commits", COMMITS)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="data")
    objects = Metered(s3, "data")
    objects.reads = []
    return Stored(dynamodb, DynamoLedger(dynamodb, "commits"), objects)


def test_an_event_is_found_by_its_id(stored):
    """Gate, owner, commit, one range of one member: the bytes are the ones that were sent."""
    assert len(stored.commit.body.members) > 3
    for number in (0, 120, 199):
        stored.claim(number, 100 + number)
        found = stored.reader.by_id("web", f"event-{number}")
        assert found is not None
        assert (found.raw, found.line) == (stored.lines[number], number)
        assert (found.commit_id, found.arrival_time) == (stored.commit.head.commit_id, ARRIVAL)
        assert found.owner == Owner(str(SHARD), 100 + number, 0)
    if isinstance(stored.objects, Metered):
        assert len(stored.objects.reads) == 3
        assert all(length < 70_000 for *_, length in stored.objects.reads)


def test_an_event_is_read_by_its_entry(stored):
    """An index entry leads to its line, also that of a duplicate, which is told as one."""
    for line in (3, 7, 150):
        found = stored.reader.read(index_entry(line, line=line))
        assert found.raw == stored.lines[line]
        assert found.entry == stored.commit.body.lines[line]
    assert stored.reader.read(index_entry(7, line=7)).entry.conflict


def test_an_unknown_id_is_none(stored):
    """The same id under another source is another event."""
    stored.claim(1, 101)
    assert stored.reader.by_id("web", "event-2") is None
    assert stored.reader.by_id("mobile", "event-1") is None


def test_an_event_on_its_way_is_told_apart(stored):
    """An id that passed the gate but is in no commit is neither unknown nor found."""
    stored.claim(1, 4711)
    with pytest.raises(CommitMissing, match=re.escape("record 4711")):
        stored.reader.by_id("web", "event-1")


def test_what_does_not_fit_together_is_named(stored):
    """A line that the commit does not have, and an object that is gone, are errors by name."""
    with pytest.raises(LineMissing, match="no line 200"):
        stored.reader.read(index_entry(0, line=200))
    with pytest.raises(CommitMissing):
        stored.reader.read(index_entry(0, first_seq=7))
    empty = EventReader(stored.dynamodb, "gate", stored.ledger, FakeObjects())
    with pytest.raises(ObjectMissing, match="raw/"):
        empty.read(index_entry(0, line=0))
