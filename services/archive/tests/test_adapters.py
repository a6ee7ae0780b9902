"""Archive's adapters on moto, and what DynamoDB does that moto does not."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from archive.adapters import DynamoDirtyHours, DynamoManifests, S3StampedObjects
from archive.domain import ManifestRow
from millrace.aws.ledger_items import from_attributes
from millrace.errors import ConfigError, ObjectMissing, RetryableError
from millrace_testing.builders import ARRIVAL
from millrace_testing.contracts.objects import ObjectsContract
from millrace_testing.tables import MANIFESTS, create_table

ROW = ManifestRow(
    hour="2025-12-28T09",
    object_key="archive/year=2025/month=12/day=28/hour=09/c-0.ndjson.gz",
    commit_id="c",
    events=3,
    size_bytes=120,
    first_event_time=ARRIVAL,
    last_event_time=ARRIVAL + timedelta(minutes=1),
    input_hash="00000000000000ff",
    clients={"#en.wikipedia": 2, "web": 1},
    written_at=ARRIVAL + timedelta(hours=1),
)


class Metered:
    """A DynamoDB client that counts calls and leaves rows unprocessed, as AWS may."""

    def __init__(self, client: Any, at_once: int = 25) -> None:
        self._client = client
        self._at_once = at_once
        self.calls: list[int] = []

    def batch_write_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        ((table, wanted),) = RequestItems.items()
        self.calls.append(len(wanted))
        now, later = wanted[: self._at_once], wanted[self._at_once :]
        if now:
            self._client.batch_write_item(RequestItems={table: now})
        return {"UnprocessedItems": {table: later} if later else {}}


@pytest.fixture
def dynamodb(aws) -> Any:
    client = boto3.client("dynamodb")
    create_table(client, "manifests", MANIFESTS)
    return client


def rows_of(number: int) -> list[ManifestRow]:
    return [replace(ROW, object_key=f"archive/c-{n:03}.ndjson.gz") for n in range(number)]


def stored(client) -> list[dict[str, Any]]:
    answer = client.scan(TableName="manifests", ConsistentRead=True)
    return sorted(map(from_attributes, answer["Items"]), key=lambda row: row["object_key"])


class TestStampedObjects(ObjectsContract):
    """The fake and the adapter keep the promises of every object store, and the stamp's."""

    @pytest.fixture(params=["fake", "s3"])
    def objects(self, request, stamped_objects):
        if request.param == "fake":
            return stamped_objects
        request.getfixturevalue("aws")
        client = boto3.client("s3")
        client.create_bucket(Bucket="data")
        return S3StampedObjects(client, "data")

    def test_bytes_and_stamp_come_together(self, objects):
        """Content and stamp are those of the first writer."""
        objects.put_new("enriched/a", b"1", metadata={"archive-max-events": "10"})
        objects.put_new("enriched/a", b"2", metadata={"archive-max-events": "20"})
        assert objects.get_stamped("enriched/a") == (b"1", {"archive-max-events": "10"})

    def test_no_object_has_no_stamp(self, objects):
        """Reading what is not there names it."""
        with pytest.raises(ObjectMissing, match="enriched/none"):
            objects.get_stamped("enriched/none")


def test_a_missing_bucket_is_a_fault_of_the_deployment(aws):
    """What no retry can mend is told apart from a missing object."""
    with pytest.raises(ConfigError, match="NoSuchBucket"):
        S3StampedObjects(boto3.client("s3"), "none").get_stamped("enriched/a")


def test_labels_reach_s3_as_metadata_and_tags(aws):
    """An archive object carries its count, range and hash both ways, for readers of either."""
    client = boto3.client("s3")
    client.create_bucket(Bucket="data")
    labels = {
        "events": "2",
        "first-event-time": "2025-12-28T09:31:00.000Z",
        "input-hash": "00000000000000ff",
    }
    S3StampedObjects(client, "data").put_new("archive/a", b"1", metadata=labels, tags=labels)
    assert client.head_object(Bucket="data", Key="archive/a")["Metadata"] == labels
    tags = client.get_object_tagging(Bucket="data", Key="archive/a")["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == labels


def test_a_manifest_row_is_an_item_under_its_hour(dynamodb):
    """Each fact of a row is an attribute."""
    DynamoManifests(dynamodb, "manifests").put([ROW])
    assert stored(dynamodb) == [
        {
            "hour": "2025-12-28T09",
            "object_key": ROW.object_key,
            "commit_id": "c",
            "events": 3,
            "bytes": 120,
            "first_event_time": "2025-12-28T09:30:00.000Z",
            "last_event_time": "2025-12-28T09:31:00.000Z",
            "input_hash": "00000000000000ff",
            "clients": {"#en.wikipedia": 2, "web": 1},
            "written_at": "2025-12-28T10:30:00.000Z",
        }
    ]


def test_rows_may_be_written_again(dynamodb):
    """The same rows twice are the same items; without clients the attribute is left out."""
    adapter = DynamoManifests(dynamodb, "manifests")
    adapter.put([ROW])
    adapter.put([replace(ROW, clients=None)])
    (row,) = stored(dynamodb)
    assert "clients" not in row


def test_twenty_five_rows_a_call(dynamodb):
    """60 rows are three calls (BatchWriteItem takes 25); no rows are none."""
    client = Metered(dynamodb)
    adapter = DynamoManifests(client, "manifests")
    adapter.put(rows_of(60))
    adapter.put([])
    assert client.calls == [25, 25, 10]
    assert len(stored(dynamodb)) == 60


def test_unprocessed_rows_are_written_again(dynamodb):
    """Rows that DynamoDB left are written until all are there, waiting in between.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
    """
    client, waits = Metered(dynamodb, at_once=4), []
    DynamoManifests(client, "manifests", waits.append).put(rows_of(10))
    assert client.calls == [10, 6, 2]
    assert len(waits) == 2
    assert [row["object_key"] for row in stored(dynamodb)] == [
        row.object_key for row in rows_of(10)
    ]


def test_rows_that_stay_unprocessed_fail_the_reference(dynamodb):
    """A commit is never marked while a row is missing; the waits stay within bounds."""
    waits: list[float] = []
    adapter = DynamoManifests(Metered(dynamodb, at_once=0), "manifests", waits.append)
    with pytest.raises(RetryableError, match="items unwritten after 8 attempts: 3"):
        adapter.put(rows_of(3))
    assert len(waits) == 7
    assert max(waits) <= 3


def test_a_missing_table_is_a_fault_of_the_deployment(dynamodb):
    """A wrong table name is not retried as if it could pass."""
    with pytest.raises(ConfigError, match="BatchWriteItem"):
        DynamoManifests(dynamodb, "none").put([ROW])


def test_a_changed_hour_is_an_item_of_its_own(dynamodb):
    """Each touch leaves another token, so that an export can tell what it has not seen."""
    tokens = iter("abc")
    adapter = DynamoDirtyHours(dynamodb, "manifests", tokens.__next__)
    adapter.touch(["2025-12-28T09", "2025-12-28T08"])
    adapter.touch({"2025-12-28T09"})
    assert stored(dynamodb) == [
        {"hour": "DIRTY", "object_key": "2025-12-28T08", "token": "a"},
        {"hour": "DIRTY", "object_key": "2025-12-28T09", "token": "c"},
    ]
