"""Planning within a request's time: what it reads is given up when the time is over."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from millrace.clock import Clock
from millrace.commit import Commit, ShardKey
from millrace.ports import CommitLoader, IndexPages
from millrace.problems import Refusal
from millrace.replay.planning import Planner
from replay_api.domain.refusals import RefusalKind

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment that work must not pass."""

    clock: Clock
    ends_at_s: float
    """Seconds since the epoch."""

    def check(self) -> None:
        """Do nothing in time.

        Raises:
            Refusal: the time is over.
        """
        if self.clock.now().timestamp() >= self.ends_at_s:
            raise Refusal(
                RefusalKind.PLANNING_TOO_LONG,
                "planning took all the time that a request has; narrow the window or the "
                "selectors, or plan it with `millrace replay plan`, which has no such bound",
            )

    def each(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items for as long as there is time."""
        for item in items:
            self.check()
            yield item


@dataclass(frozen=True, slots=True)
class PagesInTime:
    """`millrace.ports.IndexPages` until a deadline."""

    pages: IndexPages
    deadline: Deadline

    def bucket_counts(self, days: Iterable[date]) -> Mapping[date, int]:
        """Return the bucket count of each day that has one."""
        return self.pages.bucket_counts(self.deadline.each(days))

    def bodies(self, day: date, bucket: int) -> Iterable[bytes]:
        """Return the bodies of all pages of one partition, in order of arrival, as they come."""
        self.deadline.check()
        return self.deadline.each(self.pages.bodies(day, bucket))


@dataclass(frozen=True, slots=True)
class CommitsInTime:
    """`millrace.ports.CommitLoader` until a deadline."""

    commits: CommitLoader
    deadline: Deadline

    def load(self, shard: ShardKey, first_seq: int) -> Commit:
        """Return a commit with its line table."""
        self.deadline.check()
        return self.commits.load(shard, first_seq)


def in_time(planner: Planner, within_s: float) -> Planner:
    """Return the planner that gives up after so many seconds."""
    deadline = Deadline(planner.clock, planner.clock.now().timestamp() + within_s)
    return replace(
        planner,
        pages=PagesInTime(planner.pages, deadline),
        commits=CommitsInTime(planner.commits, deadline),
    )
