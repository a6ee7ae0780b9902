"""Sending side by side, and the signs that speak for sending less, on AWS."""

from collections.abc import Sequence
from concurrent.futures import Executor, wait
from datetime import timedelta
from time import monotonic

from tenacity.nap import sleep as nap

from millrace.aws.ledger import DynamoLedger
from millrace.aws.queue import SqsBatches
from millrace.aws.replays import DynamoReplays
from millrace.clock import Clock
from millrace.replay.record import Replay
from millrace.times import to_epoch_ms
from replay.domain import BATCH, LAG_HORIZON_S, Signs

_THROTTLED_WITHIN_MS = 30_000


class SideBySide:
    """`replay.ports.Destination`: as many calls at a time as `threads` has."""

    def __init__(self, queue: SqsBatches, threads: Executor) -> None:
        self._queue = queue
        self._threads = threads

    def send_all(self, bodies: Sequence[str]) -> None:
        """Send them, in calls of ten side by side; when this returns, the queue has all.

        Where a call fails the others are waited for all the same: none goes on behind the turn.
        """
        starts = range(0, len(bodies), BATCH)
        calls = [
            self._threads.submit(self._queue.send_all, bodies[at : at + BATCH]) for at in starts
        ]
        for call in wait(calls).done:
            call.result()


class Pipeline:
    """`replay.ports.Surroundings` on the ledger, the processor's queue and the replays table."""

    def __init__(
        self,
        ledger: DynamoLedger,
        queue: SqsBatches,
        replays: DynamoReplays,
        clock: Clock,
        live_lag: timedelta,
    ) -> None:
        """`live_lag` is from where on the age of an unfinished live commit counts."""
        self._ledger = ledger
        self._queue = queue
        self._replays = replays
        self._clock = clock
        self._live_lag = live_lag

    def signs(self, replay: Replay) -> Signs:
        """Return what is to be seen now."""
        now = self._clock.now()
        bound = now - self._live_lag
        waiting = self._ledger.unfinished_since(bound - timedelta(seconds=LAG_HORIZON_S), bound)
        throttled_ms = self._replays.pressure_ms(replay.replay_id)
        return Signs(
            live_ages_s=tuple((now - at).total_seconds() for at in waiting),
            backlog=self._queue.backlog(),
            throttled=throttled_ms is not None
            and to_epoch_ms(now) - throttled_ms < _THROTTLED_WITHIN_MS,
        )


class MonotonicStopwatch:
    """`replay.ports.Stopwatch`."""

    def elapsed_s(self) -> float:
        """Return seconds since some fixed moment."""
        return monotonic()

    def wait(self, seconds: float) -> None:
        """Return after so many seconds."""
        nap(seconds)
