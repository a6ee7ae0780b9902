"""Following a replay until it ends: it runs in the pipeline, whoever watches."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from millrace.replay.operations import ReplayStatus
from millrace.replay.record import ReplayState

FIRST_POLL_S, LAST_POLL_S = 0.5, 5.0
"""Polls come more slowly as a replay lasts: each reads all that is known of it."""
STILL_S = 60.0
"""From where on a replay that does not move is worth a word."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at a replay."""

    status: ReplayStatus
    still_s: float
    """For how long nothing has moved."""

    @property
    def done(self) -> int:
        """Events that are through: counted (of a dry run: enriched), or skipped."""
        progress = self.status.progress
        through = progress.enriched if self.status.replay.dry_run else progress.counted
        return through + progress.skipped

    @property
    def remark(self) -> str:
        """What a person should know or do; empty if all is well."""
        replay = self.status.replay
        if replay.state is ReplayState.PAUSED:
            return f"paused; `millrace replay resume {replay.replay_id}` goes on"
        if self.still_s >= STILL_S:
            if replay.state is ReplayState.RUNNING:
                remedy = f"`millrace replay resume {replay.replay_id}` wakes its worker"
            else:
                remedy = "`millrace status` says if its messages lie in a dead-letter queue"
            return f"nothing has moved for {self.still_s:.0f} s; {remedy}"
        return f"slowed: {replay.slowed_because}" if replay.slowed_because else ""


def follow(
    read: Callable[[], ReplayStatus],
    show: Callable[[Reading], None],
    *,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> ReplayStatus:
    """Read the status until the replay has ended, show each reading, and return the last."""
    poll_s, moved_at, seen = FIRST_POLL_S, clock(), None
    while True:
        status = read()
        now = (status.replay.state, status.replay.cursor, status.progress)
        if now != seen:
            seen, moved_at = now, clock()
        show(Reading(status, clock() - moved_at))
        if status.replay.state.ended:
            return status
        wait(poll_s)
        poll_s = min(LAST_POLL_S, poll_s * 1.25)
