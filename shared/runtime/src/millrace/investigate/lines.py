"""Reading chosen lines of a commit: one read of the raw object, of the members that hold them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from millrace.commit import Commit, CommittedLine
from millrace.event import Event, read_event
from millrace.investigate.ports import Bodies
from millrace.raw_lines import member_of, unpack


@dataclass(frozen=True, slots=True)
class LineOfCommit:
    """One event with its entry in the line table."""

    commit: Commit
    number: int
    event: Event

    @property
    def entry(self) -> CommittedLine:
        """Where it came from, when, and whether it counts."""
        return self.commit.body.lines[self.number]


def read_lines(objects: Bodies, commit: Commit, numbers: Sequence[int]) -> Iterator[LineOfCommit]:
    """Yield the lines with these numbers (rising); reads nothing if there are none.

    Raises:
        ObjectMissing: the raw object is gone.
    """
    if not numbers or commit.head.raw_key is None:
        return
    members = commit.body.members
    first, last = member_of(members, numbers[0]), member_of(members, numbers[-1])
    length = last.offset + last.length - first.offset
    lines = unpack(objects.get_range(commit.head.raw_key, first.offset, length))
    for number in numbers:
        yield LineOfCommit(commit, number, read_event(lines[number - first.first_line]))
