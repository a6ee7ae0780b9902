"""What enrich keeps of its tables, on a clock that tests move."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from enrich.cache import CachedAssignments, CachedExperiments, ReadThrough
from millrace.assignments import EntityAssignment, EntityAssignments
from millrace.aws.assignments import AssignmentsWriter, DynamoAssignments
from millrace.errors import RetryableError
from millrace_testing.builders import ARRIVAL
from millrace_testing.fakes import FixedClock
from millrace_testing.tables import ASSIGNMENTS, create_table

pytestmark = pytest.mark.enrichment

TIMES: dict[str, Any] = {"ttl": timedelta(seconds=60), "absent_ttl": timedelta(seconds=10)}


class Table:
    """A reader that can be counted, changed and broken."""

    def __init__(self, **rows: str) -> None:
        self.rows = rows
        self.asked: list[list[str]] = []
        self.broken = False

    def read(self, keys):
        self.asked.append(list(keys))
        if self.broken:
            raise RetryableError("keys unread")
        return {key: self.rows[key] for key in keys if key in self.rows}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(ARRIVAL)


@pytest.fixture
def kept(clock) -> Callable[..., ReadThrough[str]]:
    """A cache over a table, with room for 100 unless the test says otherwise."""

    def build(table: Table, **fields: Any) -> ReadThrough[str]:
        return ReadThrough(table.read, clock, **({"at_most": 100} | TIMES | fields))

    return build


def test_only_unknown_keys_are_read(kept):
    """A second question asks the table for what is new in it alone; nothing new, no call."""
    table = Table(a="1", b="2")
    cache = kept(table)
    assert cache.of(["a", "x"]) == {"a": "1"}
    assert cache.of(["a", "b", "x"]) == {"a": "1", "b": "2"}
    assert cache.of(["b", "a"]) == {"a": "1", "b": "2"}
    assert table.asked == [["a", "x"], ["b"]]


def test_answers_run_out(kept, clock):
    """What is there is read again after its time, and then as it is now."""
    table = Table(a="1")
    cache = kept(table)
    cache.of(["a"])
    table.rows["a"] = "2"
    clock.advance(timedelta(seconds=59))
    assert cache.of(["a"]) == {"a": "1"}
    clock.advance(timedelta(seconds=1))
    assert cache.of(["a"]) == {"a": "2"}
    assert len(table.asked) == 2


def test_absence_is_kept_for_less(kept, clock):
    """That there is nothing is remembered, for its own shorter time."""
    table = Table()
    cache = kept(table)
    cache.of(["a"])
    table.rows["a"] = "1"
    clock.advance(timedelta(seconds=9))
    assert cache.of(["a"]) == {}
    clock.advance(timedelta(seconds=1))
    assert cache.of(["a"]) == {"a": "1"}
    assert table.asked == [["a"], ["a"]]


def test_a_time_of_zero_keeps_nothing(kept):
    """With both times at zero every question goes to the table."""
    table = Table(a="1")
    cache = kept(table, ttl=timedelta(0), absent_ttl=timedelta(0))
    for _ in range(3):
        assert cache.of(["a", "x"]) == {"a": "1"}
    assert table.asked == [["a", "x"]] * 3


def test_the_cache_is_bounded(kept):
    """More keys than there is room for are all answered; the ones used last stay."""
    table = Table(**{f"k{n}": str(n) for n in range(30)})
    cache = kept(table, at_most=10)
    keys = list(table.rows)
    assert cache.of(keys) == table.rows
    assert cache.of(keys[-10:]) == {key: table.rows[key] for key in keys[-10:]}
    assert len(table.asked) == 1
    cache.of(keys[:1])
    assert table.asked[1:] == [["k0"]]


def test_a_heavy_answer_counts_by_its_weight(kept):
    """One answer heavier than all the room there is does no harm and pushes the others out."""
    table = Table(heavy="x" * 50, light="x")
    cache = kept(table, at_most=10, weigh=len)
    for _ in range(2):
        assert cache.of(["light", "heavy"]) == table.rows
    assert table.asked == [["light", "heavy"], ["light"]]


def test_a_failed_read_is_not_kept(kept):
    """When the table cannot be read, the question fails, and the next one asks again."""
    table = Table(a="1")
    table.broken = True
    cache = kept(table)
    with pytest.raises(RetryableError):
        cache.of(["a"])
    table.broken = False
    assert cache.of(["a"]) == {"a": "1"}


def test_experiments_are_kept(world, clock):
    """Metadata, an unknown experiment's absence included, is read once in its time."""
    cached = CachedExperiments(world.experiments, clock, at_most=10, **TIMES)
    for _ in range(3):
        assert cached.metadata_of(["e1", "none"]) == {"e1": {"owner": "growth"}}
    assert world.experiments.asked == [["e1", "none"]]


class TestAssignments:
    """The fake, the adapter and the cache over it keep the same promises."""

    A = EntityAssignment("e1", "A", ARRIVAL)
    B = EntityAssignment("e2", "B", ARRIVAL)

    @pytest.fixture(params=["fake", "dynamodb", "cached"])
    def assignments(self, request, world, clock, monkeypatch):
        if request.param == "fake":
            world.assignments.stored = {
                "a": EntityAssignments((self.A, self.B)),
                "b": EntityAssignments((self.B,)),
            }
            yield world.assignments
            return
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        with mock_aws():
            client = boto3.client("dynamodb", region_name="us-east-1")
            create_table(client, "assignments", ASSIGNMENTS)
            writer = AssignmentsWriter(client, "assignments")
            writer.assign("a", [self.A, self.B])
            writer.assign("b", [self.B])
            adapter = DynamoAssignments(client, "assignments")
            cached = CachedAssignments(adapter, clock, at_most=100, **TIMES)
            yield adapter if request.param == "dynamodb" else cached

    def test_each_entity_has_all_its_assignments(self, assignments):
        """Asked twice, in any company, an entity has the same assignments; nobody has none."""
        both = {
            "a": EntityAssignments((self.A, self.B)),
            "b": EntityAssignments((self.B,)),
        }
        assert assignments.of(["a", "nobody"]) == {"a": both["a"]}
        assert assignments.of(["nobody", "b", "a"]) == both
