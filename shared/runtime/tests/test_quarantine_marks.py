"""Marks: who holds a record, and that nobody else ever does."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.quarantine.marks import (
    CommitKey,
    CommitMarks,
    Mark,
    State,
    parse_runs,
    runs_text,
)
from millrace_testing.builders import ARRIVAL, SHARD

pytestmark = pytest.mark.validation
NONE = CommitMarks(CommitKey(SHARD, 100))
LINES = frozenset(range(10))


def begun(lines=LINES, rule="r1") -> Mark:
    return Mark(State.BEGUN, frozenset(lines), ARRIVAL, "ann", rule)


def test_what_one_rule_began_no_other_begins() -> None:
    """Of two recoveries by different rules each record belongs to the first; drops leave it."""
    marks = NONE.with_mark(begun({1, 2})).with_mark(begun({2, 3}, "r2"))
    assert marks.begun_by("r1", LINES) == {1, 2}
    assert marks.begun_by("r2", LINES) == {3}
    dropped = marks.with_mark(Mark(State.DROPPED, LINES, ARRIVAL, "bo", reason="junk"))
    assert [dropped.state_of(line) for line in (1, 3, 4)] == ["begun", "begun", "dropped"]
    assert dropped.open(LINES) == frozenset()


def test_only_what_was_begun_is_recovered() -> None:
    """A recovery ends the lines of its own rule alone, and once."""
    marks = NONE.with_mark(begun({1, 2, 3})).with_mark(begun({4}, "r2"))
    done = marks.recovered(replace(begun({1, 2, 4, 5}), state=State.RECOVERED))
    assert [done.state_of(line) for line in range(1, 6)] == [
        "recovered", "recovered", "begun", "begun", "open",
    ]  # fmt: skip
    assert done.recovered(replace(begun({1, 2}), state=State.RECOVERED)) is done


def test_many_batches_of_one_rule_are_one_mark() -> None:
    """What a commit's item holds does not grow with the number of batches."""
    marks = NONE
    for line in range(1000):
        marks = marks.with_mark(begun({line}))
        marks = marks.recovered(replace(begun({line}), state=State.RECOVERED))
    assert len(marks.marks) == 1
    assert runs_text(marks.marks[0].lines) == "0-999"
    assert marks.version == 2000


def test_what_changes_nothing_writes_nothing() -> None:
    """A mark over lines that are held already leaves the version alone."""
    marks = NONE.with_mark(begun())
    assert marks.with_mark(begun()) is marks
    assert marks.with_mark(begun(rule="r2")) is marks


@given(st.frozensets(st.integers(0, 5000)))
def test_runs_read_back(lines: frozenset[int]) -> None:
    """Any set of lines survives."""
    assert parse_runs(runs_text(lines)) == lines
