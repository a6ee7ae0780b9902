"""One look at the pipeline, every minute.

A reference that stays pending has no next batch to send it: its shard is idle or closed. Watch
sends it; sending twice is harmless, and `pending` is cleared only under its version.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from aws_lambda_powertools import Logger

from millrace.clock import Clock
from millrace.commit import ShardKey
from millrace.ports import MessageQueue
from watch.ports import Discards, Stream, WatchedLedger


@dataclass(frozen=True, slots=True)
class ShardFreshness:
    """When a shard last committed; None if it never did."""

    shard: ShardKey
    last_commit_age_s: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """What watch did and saw."""

    references_sent: int
    unfinished: int
    """Commits that some stage has yet to mark: the residue."""
    oldest_unfinished_age_s: float
    """0 if there are none."""
    freshness: tuple[ShardFreshness, ...]
    discarded: int
    """Batches that the mapping gave up and that nobody has repaired or abandoned yet."""
    oldest_discarded_age_s: float
    """Since the arrival of its first record; 0 if there are none."""


@dataclass(frozen=True, slots=True)
class Watch:
    """The use case, over its ports."""

    ledger: WatchedLedger
    discards: Discards
    references: MessageQueue
    stream: Stream
    clock: Clock
    overdue_after: timedelta
    incarnation: str
    logger: Logger

    def look(self) -> Report:
        """Send what is overdue, then report."""
        now = self.clock.now()
        sent = sum(self._send_pending(shard) for shard in self._overdue(now))
        ages = [(now - since).total_seconds() for _, since in self.ledger.unfinished()]
        waiting = [(now - since).total_seconds() for since in self.discards.open_since()]
        shards = [ShardKey(self.incarnation, each) for each in self.stream.shard_ids()]
        return Report(
            references_sent=sent,
            unfinished=len(ages),
            oldest_unfinished_age_s=max(ages, default=0.0),
            freshness=tuple(self._freshness(shard, now) for shard in shards),
            discarded=len(waiting),
            oldest_discarded_age_s=max(waiting, default=0.0),
        )

    def _overdue(self, now: datetime) -> list[ShardKey]:
        return list(self.ledger.overdue(now - self.overdue_after))

    def _send_pending(self, shard: ShardKey) -> int:
        checkpoint = self.ledger.read(shard)
        for body in checkpoint.pending:
            self.references.send(body)
        if checkpoint.pending:
            self.ledger.clear_pending(shard, checkpoint)
            self.logger.warning(
                "overdue references sent",
                extra={"shard": str(shard), "references": len(checkpoint.pending)},
            )
        return len(checkpoint.pending)

    def _freshness(self, shard: ShardKey, now: datetime) -> ShardFreshness:
        head = self.ledger.latest(shard)
        age = (now - head.committed_at).total_seconds() if head else None
        return ShardFreshness(shard, age)
