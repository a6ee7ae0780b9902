"""Unique markers: the adapter and the fake keep the same promises."""

from datetime import timedelta

import pytest

from aggregate.adapters.markers import DynamoMarkers
from aggregate.adapters.waiting import ATTEMPTS
from millrace.aggregates import AggregateKey, Dimension, Scope
from millrace.counting.deltas import Marker
from millrace.errors import ConfigError, RetryableError
from millrace.windows import WindowWidth, window_of
from millrace_testing.builders import ARRIVAL
from millrace_testing.fakes import FixedClock

WINDOW = window_of(ARRIVAL, WindowWidth.HOUR)


def key(entity="user#1/x", metric="m"):
    return AggregateKey(Scope.of(Dimension.ENTITY, entity), WINDOW, metric)


def markers_of(numbers, entity="user"):
    return [Marker(key(), f"{entity}#{n}") for n in numbers]


class MarkersContract:
    """Subclasses provide the fixture `markers`."""

    def test_the_first_owner_stays(self, markers):
        """A marker is inserted once; later callers, the owner too, learn that it was there."""
        assert markers.insert_new(dict.fromkeys(markers_of([1, 2]), "a")) == set(markers_of([1, 2]))
        assert markers.insert_new(dict.fromkeys(markers_of([2, 3]), "b")) == set(markers_of([3]))
        assert markers.insert_new(dict.fromkeys(markers_of([1]), "a")) == set()
        one, two, three = markers_of([1, 2, 3])
        assert markers.owners([one, two, three]) == {one: "a", two: "a", three: "b"}

    def test_unknown_markers_have_no_owner(self, markers):
        """What nobody inserted is left out of the answer."""
        assert markers.owners(markers_of([1])) == {}

    def test_many_are_handled_at_once(self, markers):
        """More than one call takes, in both directions."""
        many = markers_of(range(230))
        assert markers.insert_new(dict.fromkeys(many, "a")) == set(many)
        assert markers.owners(many) == dict.fromkeys(many, "a")

    def test_rows_and_entities_are_kept_apart(self, markers):
        """The same entity in another row, and ids of any length or script, are other markers."""
        long = "\N{PILE OF POO}" * 256
        some = [
            Marker(key(metric="m"), "u"),
            Marker(key(metric="n"), "u"),
            Marker(key("e"), "u"),
            Marker(key(long), long),
            Marker(key(long), f"{long[:-1]}x"),
        ]
        assert markers.insert_new(dict.fromkeys(some, "a")) == set(some)
        assert set(markers.owners(some)) == set(some)


class TestFakeMarkers(MarkersContract):
    """The fake."""

    @pytest.fixture
    def markers(self, fake_markers):
        return fake_markers


class TestDynamoMarkers(MarkersContract):
    """The adapter, on moto."""

    @pytest.fixture
    def markers(self, moto_db):
        return dynamo_markers(moto_db)

    def test_the_stored_item(self, markers, moto_db):
        """Keys as the design says, an owner, and a time to expire in epoch seconds."""
        markers.insert_new(dict.fromkeys(markers_of([1]), "commit-1"))
        assert moto_db.client.scan(TableName="markers-1")["Items"] == [
            {
                "PK": {"S": "UNIQUE#ENTITY#user%231%2Fx#HOUR#2025-12-28T09#VER#live#m"},
                "SK": {"S": "user%231"},
                "owner": {"S": "commit-1"},
                "expires_at": {"N": str(int((ARRIVAL + timedelta(days=90)).timestamp()))},
            }
        ]

    def test_calls_are_full(self, markers, moto_db):
        """230 markers are read by 3 calls and inserted by 10."""
        many = markers_of(range(230))
        markers.owners(many)
        assert moto_db.calls.count("BatchGetItem") == 3
        markers.insert_new(dict.fromkeys(many, "a"))
        assert moto_db.calls.count("BatchExecuteStatement") == 10

    def test_throttled_statements_are_sent_again(self, markers, moto_db):
        """Only those that were not done; throttled markers are not taken for others'."""
        throttled = {"Error": {"Code": "ThrottlingError"}}
        moto_db.faults.append(statement_fault([throttled, {"TableName": "markers-1"}]))
        assert markers.insert_new(dict.fromkeys(markers_of([1, 2]), "a")) == set(markers_of([1, 2]))
        assert set(markers.owners(markers_of([1, 2]))) == set(markers_of([1]))  # 2: in the fault

    def test_statements_throttled_for_good_are_retryable(self, markers, moto_db):
        """Attempts are bounded; then the message goes back to its queue."""
        moto_db.faults += [statement_fault([{"Error": {"Code": "ThrottlingError"}}])] * ATTEMPTS
        with pytest.raises(RetryableError, match="throttled"):
            markers.insert_new(dict.fromkeys(markers_of([1]), "a"))

    def test_a_refused_statement_is_an_error_of_the_deployment(self, markers, moto_db):
        """A missing right is not retried."""
        moto_db.faults.append(statement_fault([{"Error": {"Code": "AccessDenied"}}]))
        with pytest.raises(ConfigError, match="INSERT"):
            markers.insert_new(dict.fromkeys(markers_of([1]), "a"))

    def test_unprocessed_keys_are_asked_again(self, markers, moto_db):
        """An answer that is short is completed."""
        markers.insert_new(dict.fromkeys(markers_of([1]), "a"))
        item_key = {
            "PK": {"S": "UNIQUE#ENTITY#user%231%2Fx#HOUR#2025-12-28T09#VER#live#m"},
            "SK": {"S": "user%231"},
        }
        moto_db.faults.append(
            {
                "operation": "BatchGetItem",
                "answer": {
                    "Responses": {},
                    "UnprocessedKeys": {"markers-1": {"Keys": [item_key], "ConsistentRead": True}},
                },
            }
        )
        assert markers.owners(markers_of([1])) == dict.fromkeys(markers_of([1]), "a")


def dynamo_markers(moto_db):
    return DynamoMarkers(
        moto_db.client,
        "markers-1",
        FixedClock(ARRIVAL),
        timedelta(days=90),
        sleep=lambda _: None,
    )


def statement_fault(responses):
    return {"operation": "BatchExecuteStatement", "answer": {"Responses": responses}}
