"""Waiting until everything that a run sent has come to its end."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from millrace_cli.status import ShardStatus, Status

POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Goal:
    """What to wait for, and what was there before it was sent."""

    sent: int
    baseline: Status = field(default_factory=Status)
    last_placed: Mapping[str, int] = field(default_factory=dict)
    """The sequence number on each shard up to which this run's records lie. Another run's records
    count as received too; these tell when this run's own were."""

    def reached(self, status: Status) -> bool:
        """Tell whether all that was sent is received, and all that is new has ended.

        A commit whose message lies in a dead-letter queue stays unfinished. What lay there before
        the run, and commits that were unfinished then, excuse none of this run's.
        """
        old = status.kept_from(self.baseline)
        unfinished = status.totals.unfinished_commits - old.stages.unfinished_commits
        dead = status.dead - sum(queue.total for queue in old.dlqs)
        return self._received(status) and unfinished <= dead

    def _received(self, status: Status) -> bool:
        shards = {shard.shard_id: shard for shard in status.shards}
        if not all(_read_to(shards.get(each), seq) for each, seq in self.last_placed.items()):
            return False
        if any(shard.blocked for shard in status.shards):
            return True  # the records behind it are not received: no count to wait for
        return status.totals.received >= self.baseline.totals.received + self.sent


def settle(
    read: Callable[[], Status],
    goal: Goal,
    stall_s: float,
    *,
    show: Callable[[Status], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Status:
    """Read the status until nothing is on its way any more and the goal is reached.

    Gives up when nothing has moved for `stall_s` seconds. It does not wait for a blocked shard or
    for messages in a dead-letter queue once they are all that is left: then no waiting helps.

    Returns: the last status; whether it settled is for the caller to ask.
    """
    seen: object = None
    deadline = clock() + stall_s
    while True:
        status = read()
        show(status)
        if _at_rest(status) and goal.reached(status):
            return status
        positions = tuple(shard.committed_seq for shard in status.shards)
        moved = (status.totals, status.queues, status.pending_references, positions)
        if moved != seen:
            seen, deadline = moved, clock() + stall_s
        if clock() >= deadline:
            return status
        wait(POLL_S)


def _at_rest(status: Status) -> bool:
    if status.queued or status.pending_references:
        return False
    return not any(shard.waiting and not shard.blocked for shard in status.shards)


def _read_to(shard: ShardStatus | None, sequence: int) -> bool:
    return shard is not None and (bool(shard.blocked) or shard.committed_seq >= sequence)
