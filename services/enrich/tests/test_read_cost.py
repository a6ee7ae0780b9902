"""What looking up assignments costs, counted from what goes over the wire on moto."""

import gzip
import json
import math
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from enrich.cache import CachedAssignments
from millrace.assignments import EntityAssignment
from millrace.aws.assignments import AssignmentsWriter, DynamoAssignments
from millrace_testing.builders import ARRIVAL
from millrace_testing.fakes import FixedClock
from millrace_testing.tables import ASSIGNMENTS, create_table

pytestmark = pytest.mark.enrichment

WIKITICKER = Path(__file__).parents[4] / "shared" / "data" / "wikiticker-2015-09-12-sampled.json.gz"
EVENTS = 1000
EXPERIMENTS = 10
READ_UNIT_BYTES = 4096


class Meter:
    """Counts the keys of a client's batch reads and what DynamoDB charges for them.

    Half a unit for each 4 KB begun of an item, and as much for a key without one; the engines here
    answer other figures (moto one unit a key, the local engine none):
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """

    def __init__(self, client: Any) -> None:
        self.calls = 0
        self.units = 0.0
        self._keys = 0
        client.meta.events.register("provide-client-params.dynamodb.BatchGetItem", self._asked)
        client.meta.events.register("after-call.dynamodb.BatchGetItem", self._answered)

    def _asked(self, params: dict[str, Any], **_: object) -> None:
        (wanted,) = params["RequestItems"].values()
        assert not wanted["ConsistentRead"]
        self._keys = len(wanted["Keys"])

    def _answered(self, parsed: dict[str, Any], **_: object) -> None:
        (items,) = parsed["Responses"].values()
        sizes = [len(json.dumps(item)) for item in items]  # more than DynamoDB counts
        self.calls += 1
        self.units += sum(math.ceil(size / READ_UNIT_BYTES) for size in sizes) / 2
        self.units += (self._keys - len(items)) / 2


@pytest.fixture
def users():
    """The distinct users of 1,000 real edits, in order of appearance."""
    if not WIKITICKER.is_file():
        pytest.skip("../shared/data is not beside this checkout")
    with gzip.open(WIKITICKER, "rt", encoding="utf-8") as file:
        rows = [json.loads(line)["user"] for line in islice(file, EVENTS)]
    return list(dict.fromkeys(rows))


@pytest.fixture
def dynamodb(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_table(client, "assignments", ASSIGNMENTS)
        yield client


def test_a_thousand_events_cost_half_a_unit_an_entity(dynamodb, users, figures):
    """Whatever number of experiments an entity is in, or none; and nothing while it is kept."""
    mine = [EntityAssignment(f"experiment-{n}", "A", ARRIVAL) for n in range(EXPERIMENTS)]
    writer = AssignmentsWriter(dynamodb, "assignments")
    for user in users[::20]:
        writer.assign(user, mine)
    meter = Meter(dynamodb)
    minute = timedelta(minutes=1)
    cached = CachedAssignments(
        DynamoAssignments(dynamodb, "assignments"),
        FixedClock(ARRIVAL),
        ttl=minute,
        absent_ttl=minute,
        at_most=10_000,
    )
    found = cached.of(users)
    figures(
        f"{EVENTS} events, {len(users)} users, {EXPERIMENTS} experiments: "
        f"{meter.units:g} read units in {meter.calls} calls"
    )
    assert {len(each.known) for each in found.values()} == {EXPERIMENTS}
    assert len(found) == len(users[::20])
    assert (meter.units, meter.calls) == (len(users) / 2, math.ceil(len(users) / 100))
    assert cached.of(users) == found
    assert meter.calls == math.ceil(len(users) / 100)
