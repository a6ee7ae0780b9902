"""Waiting until everything that was sent has come to its end."""

import time
from collections.abc import Callable

from millrace_cli.status import Status

POLL_S = 0.5


def settle(
    read: Callable[[], Status],
    expected_received: int,
    stall_s: float,
    *,
    show: Callable[[Status], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Status:
    """Read the status until it has settled with at least `expected_received` records in it.

    Gives up when nothing has moved for `stall_s` seconds, and at once when a shard is blocked and
    nothing else is on its way: then no waiting helps. Messages that lie in a dead-letter queue are
    where they end, so they do not keep it waiting while they are all that is left.

    Returns: the last status; whether it settled is for the caller to ask.
    """
    seen: object = None
    deadline = clock() + stall_s
    while True:
        status = read()
        show(status)
        if _at_rest(status, expected_received):
            return status
        moved = (status.totals, status.queues, status.pending_references)
        if moved != seen:
            seen, deadline = moved, clock() + stall_s
        if clock() >= deadline:
            return status
        wait(POLL_S)


def _at_rest(status: Status, expected_received: int) -> bool:
    if status.queued or status.pending_references:
        return False
    if any(shard.waiting and not shard.blocked for shard in status.shards):
        return False
    if any(shard.blocked for shard in status.shards):
        return True
    unfinished = status.totals.unfinished_commits and not status.dead
    return not unfinished and status.totals.received >= expected_received
