"""Assignments and experiments on moto, and what DynamoDB does that moto does not."""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from millrace.assignments import EntityAssignment, EntityAssignments
from millrace.aws.assignments import AssignmentsWriter, DynamoAssignments
from millrace.aws.experiments import DynamoExperiments
from millrace.aws.ledger_items import to_attributes
from millrace.errors import ConfigError, RetryableError
from millrace_testing.builders import ARRIVAL
from millrace_testing.tables import ASSIGNMENTS, EXPERIMENTS, create_table

pytestmark = pytest.mark.enrichment

A = EntityAssignment("e1", "A", ARRIVAL)
B = EntityAssignment("e/2#x", "B", ARRIVAL + timedelta(milliseconds=1))


class Metered:
    """A DynamoDB client that counts keys asked for and leaves some unprocessed, as AWS may."""

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


@pytest.fixture
def dynamodb(monkeypatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setitem(os.environ, name, "testing")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_table(client, "assignments", ASSIGNMENTS)
        create_table(client, "experiments", EXPERIMENTS)
        yield client


@pytest.fixture
def writer(dynamodb) -> AssignmentsWriter:
    return AssignmentsWriter(dynamodb, "assignments")


def store(client, entity: str, **attributes: object) -> None:
    item = {"entity_id": entity} | attributes
    client.put_item(TableName="assignments", Item=to_attributes(item))


def test_an_entity_is_in_several_experiments(dynamodb, writer):
    """All that an entity was ever assigned to comes back, sorted, ids as producers know them."""
    assert writer.assign("a#b/c", [A]) == {"e1": None}
    assert writer.assign("a#b/c", [B]) == {"e/2#x": None}
    writer.assign("user_1", [A, B])
    found = DynamoAssignments(dynamodb, "assignments").of(["user_1", "a#b/c", "nobody"])
    assert found == {name: EntityAssignments((B, A)) for name in ("user_1", "a#b/c")}


def test_the_same_assignment_again_changes_nothing(dynamodb, writer):
    """What stood there is told: nothing, the same, or what was replaced."""
    assert writer.assign("user_1", [A, B]) == {"e1": None, "e/2#x": None}
    assert writer.assign("user_1", [A, B]) == {"e1": A, "e/2#x": B}
    moved = EntityAssignment("e1", "B", ARRIVAL)
    assert writer.assign("user_1", [moved]) == {"e1": A}
    found = DynamoAssignments(dynamodb, "assignments").of(["user_1"])
    assert found == {"user_1": EntityAssignments((B, moved))}


@pytest.mark.parametrize(
    "value",
    [
        "A",
        {"variant": "A"},
        {"variant": "", "assigned_at": "2025-12-28T09:00:00Z"},
        {"variant": 3, "assigned_at": "2025-12-28T09:00:00Z"},
        {"variant": "A", "assigned_at": "soon"},
    ],
)
def test_a_malformed_assignment_is_counted(dynamodb, writer, value):
    """What cannot be read is counted beside what can, also when it is written over."""
    store(dynamodb, "user_1", **{"EXPERIMENT#e0": value, "note": "by hand"})
    writer.assign("user_1", [A])
    found = DynamoAssignments(dynamodb, "assignments").of(["user_1"])
    assert found == {"user_1": EntityAssignments((A,), malformed=1)}
    mended = EntityAssignment("e0", "A", ARRIVAL)
    assert writer.assign("user_1", [mended]) == {"e0": None}


def test_a_hundred_entities_a_call(dynamodb, writer):
    """250 entities are three calls (BatchGetItem takes 100 keys), whatever they are in."""
    client = Metered(dynamodb)
    writer.assign("user_249", [A, B])
    found = DynamoAssignments(client, "assignments").of([f"user_{n}" for n in range(250)])
    assert list(found) == ["user_249"]
    assert client.calls == [100, 100, 50]


def test_unprocessed_keys_are_asked_again(dynamodb, writer):
    """Keys that DynamoDB left are asked until all are answered, waiting in between.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
    """
    entities = [f"user_{number}" for number in range(10)]
    for entity in entities:
        writer.assign(entity, [A])
    client, waits = Metered(dynamodb, at_once=4), []
    found = DynamoAssignments(client, "assignments", waits.append).of(entities)
    assert sorted(found) == entities
    assert client.calls == [10, 6, 2]
    assert len(waits) == 2


def test_keys_that_stay_unprocessed_fail_the_reference(dynamodb):
    """A short answer is never taken for a whole one; the waits grow, within bounds."""
    waits: list[float] = []
    adapter = DynamoAssignments(Metered(dynamodb, at_once=0), "assignments", waits.append)
    with pytest.raises(RetryableError, match="keys unread after 8 attempts: 3"):
        adapter.of(["a", "b", "c"])
    assert len(waits) == 7
    assert max(waits) <= 3


def test_the_longest_ids_are_found(dynamodb, writer):
    """A legal id whose encoding passes DynamoDB's 2,048 bytes is kept under a shortened key.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
    """
    longest = "\N{WATER WAVE}" * 256
    writer.assign(longest, [A])
    found = DynamoAssignments(dynamodb, "assignments").of([longest, "other"])
    assert found == {longest: EntityAssignments((A,))}


def test_a_missing_table_is_a_fault_of_the_deployment(dynamodb):
    """A wrong table name is not retried as if it could pass."""
    with pytest.raises(ConfigError, match="BatchGetItem"):
        DynamoAssignments(dynamodb, "none").of(["a"])
    with pytest.raises(ConfigError, match="UpdateItem"):
        AssignmentsWriter(dynamodb, "none").assign("a", [A])


def test_experiments_come_back_as_they_were_put(dynamodb):
    """JSON metadata survives; an experiment put again is replaced whole."""
    experiments = DynamoExperiments(dynamodb, "experiments")
    metadata = {
        "owner": "growth",
        "share": 0.1,
        "big": 12345678901234567890,
        "nested": {"on": True, "list": [1, None, {"x": -2.5e-3}]},
    }
    experiments.put([("a/b#c", {"old": 1}), ("e2", {})])
    experiments.put([("a/b#c", metadata)])
    found = experiments.metadata_of(["a/b#c", "e2", "none"])
    assert found == {"a/b#c": metadata, "e2": {}}
    assert list(found["a/b#c"]) == sorted(metadata)


def test_foreign_types_become_json(dynamodb):
    """Sets and binaries, which no JSON holds, come in one order and as base64."""
    item = {"experiment_id": "e1", "tags": {"y", "x"}, "nested": {"c": b"\x00"}}
    dynamodb.put_item(TableName="experiments", Item=to_attributes(item))
    found = DynamoExperiments(dynamodb, "experiments").metadata_of(["e1"])
    assert found == {"e1": {"nested": {"c": "AA=="}, "tags": ["x", "y"]}}
