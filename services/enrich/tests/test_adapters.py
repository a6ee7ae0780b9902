"""Enrich's adapters on moto, and what DynamoDB does that moto does not."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from enrich.adapters import DynamoAssignments, DynamoExperiments, S3StampedObjects
from enrich.domain import AssignmentRow
from millrace.aws.ledger_items import to_attributes
from millrace.errors import ConfigError, ObjectMissing, RetryableError
from millrace.keys import encode_id
from millrace_testing.builders import ARRIVAL
from millrace_testing.contracts.objects import ObjectsContract
from millrace_testing.fakes import FixedClock
from millrace_testing.tables import ASSIGNMENTS, EXPERIMENTS, create_table


@pytest.fixture
def aws(monkeypatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield


class Metered:
    """A DynamoDB client that counts calls and leaves keys unprocessed, as AWS may."""

    def __init__(self, client: Any, at_once: int = 100) -> None:
        self._client = client
        self._at_once = at_once
        self.calls: list[int] = []

    def batch_get_item(self, RequestItems: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        ((table, wanted),) = RequestItems.items()
        keys = wanted["Keys"]
        self.calls.append(len(keys))
        now, later = keys[: self._at_once], keys[self._at_once :]
        answer: dict[str, Any] = {"Responses": {table: []}, "UnprocessedKeys": {}}
        if now:
            answer |= self._client.batch_get_item(RequestItems={table: {"Keys": now}})
        if later:
            answer["UnprocessedKeys"] = {table: {"Keys": later}}
        return answer

    def __getattr__(self, name: str) -> Any:
        self.calls.append(0)
        return getattr(self._client, name)


@pytest.fixture
def dynamodb(aws) -> Any:
    client = boto3.client("dynamodb")
    create_table(client, "assignments", ASSIGNMENTS)
    create_table(client, "experiments", EXPERIMENTS)
    return client


def assign(client, entity: str, experiment: str, **attributes: object) -> None:
    item = {"entity_id": entity, "experiment_id": experiment} | attributes
    client.put_item(TableName="assignments", Item=to_attributes(item))


def experiments_on(client, clock=None, at_most: int = 100) -> DynamoExperiments:
    return DynamoExperiments(
        client, "experiments", clock or FixedClock(ARRIVAL), timedelta(seconds=60), at_most
    )


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

    def test_the_first_writers_stamp_is_read_back(self, objects):
        """The stamp that is there is the one of the object that is there."""
        objects.put_new("enriched/a", b"1", metadata={"defs-version": "first"})
        objects.put_new("enriched/a", b"2", metadata={"defs-version": "second"})
        assert objects.metadata_of("enriched/a") == {"defs-version": "first"}

    def test_the_stamp_of_no_object_is_missing(self, objects):
        """Asking for the stamp of what is not there names it."""
        with pytest.raises(ObjectMissing, match="enriched/none"):
            objects.metadata_of("enriched/none")


def test_a_missing_bucket_is_a_fault_of_the_deployment(aws):
    """What no retry can mend is told apart from a missing object."""
    with pytest.raises(ConfigError):
        S3StampedObjects(boto3.client("s3"), "none").put_new("a", b"")


def test_assignments_are_read_by_pair(dynamodb):
    """Each existing pair comes back, with ids as producers know them; others are left out."""
    assign(dynamodb, "user_1", "e1", variant="A", assigned_at="2025-12-28T09:00:00Z")
    assign(dynamodb, "a%23b%2Fc", "e%2F2", variant="B", assigned_at="2025-12-28T09:00:00Z")
    assign(dynamodb, "user_1", "ended", variant="A", assigned_at="2025-12-28T09:00:00Z")
    adapter = DynamoAssignments(dynamodb, "assignments")
    rows = list(adapter.rows(["user_1", "a#b/c", "user_3"], {"e1": {}, "e/2": {}}))
    assert sorted(rows, key=lambda row: row.experiment_id) == [
        AssignmentRow("a#b/c", "e/2", "B", "2025-12-28T09:00:00Z"),
        AssignmentRow("user_1", "e1", "A", "2025-12-28T09:00:00Z"),
    ]


def test_a_row_without_attributes_is_handed_on(dynamodb):
    """What is missing or no text reaches the domain as None, which counts it."""
    assign(dynamodb, "user_1", "e1", variant=3)
    adapter = DynamoAssignments(dynamodb, "assignments")
    assert list(adapter.rows(["user_1"], ["e1"])) == [AssignmentRow("user_1", "e1", None, None)]


def test_a_hundred_pairs_a_call(dynamodb):
    """250 pairs are three calls (BatchGetItem takes 100 keys)."""
    client = Metered(dynamodb)
    assign(dynamodb, "user_249", "e1", variant="A", assigned_at="2025-12-28T09:00:00Z")
    rows = DynamoAssignments(client, "assignments").rows([f"user_{n}" for n in range(250)], ["e1"])
    assert [row.entity_id for row in rows] == ["user_249"]
    assert client.calls == [100, 100, 50]


def test_unprocessed_keys_are_asked_again(dynamodb):
    """Keys that DynamoDB left are asked until all are answered, waiting in between.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
    """
    for number in range(10):
        assign(dynamodb, f"user_{number}", "e1", variant="A", assigned_at="2025-12-28T09:00:00Z")
    client, waits = Metered(dynamodb, at_once=4), []
    adapter = DynamoAssignments(client, "assignments", waits.append)
    rows = list(adapter.rows([f"user_{n}" for n in range(10)], ["e1"]))
    assert sorted(row.entity_id for row in rows) == [f"user_{n}" for n in range(10)]
    assert client.calls == [10, 6, 2]
    assert len(waits) == 2


def test_keys_that_stay_unprocessed_fail_the_reference(dynamodb):
    """A short answer is never taken for a whole one; the waits grow, within bounds."""
    waits: list[float] = []
    adapter = DynamoAssignments(Metered(dynamodb, at_once=0), "assignments", waits.append)
    with pytest.raises(RetryableError, match="keys unread after 8 attempts: 3"):
        list(adapter.rows(["a", "b", "c"], ["e1"]))
    assert len(waits) == 7
    assert max(waits) <= 3


def test_the_longest_ids_are_found(dynamodb):
    """A legal id whose encoding passes DynamoDB's 2,048 bytes is kept under a shortened key.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
    """
    longest = "\N{WATER WAVE}" * 256
    at = "2025-12-28T09:00:00Z"
    assign(dynamodb, encode_id(longest), "e1", variant="A", assigned_at=at)
    (row,) = DynamoAssignments(dynamodb, "assignments").rows([longest, "other"], ["e1"])
    assert (row.entity_id, row.experiment_id, row.variant) == (longest, "e1", "A")


def test_a_missing_table_is_a_fault_of_the_deployment(dynamodb):
    """A wrong table name is not retried as if it could pass."""
    with pytest.raises(ConfigError, match="BatchGetItem"):
        list(DynamoAssignments(dynamodb, "none").rows(["a"], ["e1"]))


def test_experiments_are_read_with_their_metadata(dynamodb):
    """Metadata comes as JSON can hold it, in one order, under ids as producers know them."""
    item = {
        "experiment_id": "a%2Fb",
        "weight": 3,
        "tags": {"y", "x"},
        "nested": {"b": [1], "a": None, "c": b"\x00"},
        "active": True,
    }
    dynamodb.put_item(TableName="experiments", Item=to_attributes(item))
    found = experiments_on(dynamodb).all()
    assert found == {
        "a/b": {
            "active": True,
            "nested": {"a": None, "b": [1], "c": "AA=="},
            "tags": ["x", "y"],
            "weight": 3,
        }
    }
    assert list(found["a/b"]) == ["active", "nested", "tags", "weight"]


@pytest.mark.parametrize("stored", [0, 2])
def test_experiments_are_kept_for_their_time(dynamodb, stored):
    """Within the TTL the table is read once, also when it is empty; then anew."""
    for number in range(stored):
        dynamodb.put_item(
            TableName="experiments", Item=to_attributes({"experiment_id": f"e{number}"})
        )
    client, clock = Metered(dynamodb), FixedClock(ARRIVAL)
    adapter = experiments_on(client, clock)
    assert len(adapter.all()) == stored
    clock.advance(timedelta(seconds=59))
    dynamodb.put_item(TableName="experiments", Item=to_attributes({"experiment_id": "new"}))
    assert "new" not in adapter.all()
    assert len(client.calls) == 1
    clock.advance(timedelta(seconds=1))
    assert "new" in adapter.all()


def test_too_many_experiments_fail_loudly(dynamodb):
    """A table beyond the bound is an error that says what to do, never a part of it."""
    for number in range(3):
        dynamodb.put_item(
            TableName="experiments", Item=to_attributes({"experiment_id": f"e{number}"})
        )
    assert len(experiments_on(dynamodb, at_most=3).all()) == 3
    with pytest.raises(ConfigError, match=re.escape("raise EXPERIMENTS_MAX")):
        experiments_on(dynamodb, at_most=2).all()
