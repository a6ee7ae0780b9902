"""What the cockpit looks at, read from one deployment: for the command and for the HTTP API."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile

from millrace.aws.batch_deadlines import BatchDeadlines
from millrace.aws.discarded import DynamoDiscards
from millrace.aws.ledger import DynamoLedger
from millrace.aws.manifests import ManifestsReader
from millrace.aws.recent_commits import RecentCommits
from millrace.aws.replays import DynamoReplays
from millrace.aws.services import ServicesReader
from millrace.discarded.deadline import Source
from millrace.dlq.looking import Looking
from millrace.dlq.selection import Selection
from millrace.investigate.cockpit.inspection import inspect
from millrace.investigate.cockpit.measuring import waits
from millrace.investigate.cockpit.readings import (
    DeadQueue,
    OpenBatch,
    OverdueReferences,
    Readings,
    ShardReading,
    UnexportedHour,
)
from millrace.investigate.cockpit.telling import Inspection
from millrace.investigate.cockpit.thresholds import Thresholds
from millrace.replay.record import Replay
from millrace.times import parse_rfc3339

LETTERS_LOOKED_AT = 100
"""Messages of each dead-letter queue that are looked at: SQS hands out ten a call."""
MOST_HOURS = 100
"""Hours that wait for export and are looked at, the earliest first."""
MOST_REPLAYS = 100
_ROWS_OF_AN_HOUR = 1_000


@dataclass(frozen=True, slots=True)
class CockpitReader:
    """Reads it; may block, raise RetryableError or ConfigError."""

    ledger: DynamoLedger
    discards: DynamoDiscards
    deadlines: BatchDeadlines
    manifests: ManifestsReader
    replays: DynamoReplays | None
    """None: it was deployed before there were replays."""
    services: ServicesReader
    looking: Callable[[], Mapping[str, Looking]]
    """Into dead-letter queues, by queue; none where failures are not noted."""
    letters_looked_at: int = LETTERS_LOOKED_AT

    def inspection(
        self, history: RecentCommits, shards: Sequence[ShardReading], dead: Mapping[str, int]
    ) -> Inspection:
        """Return what every check found.

        history: was read. dead: messages in each dead-letter queue.
        """
        limits = Thresholds()
        readings = self._readings(history, shards, dead, limits)
        return Inspection(history.since, inspect(readings, limits), history.complete)

    def _readings(
        self,
        history: RecentCommits,
        shards: Sequence[ShardReading],
        dead: Mapping[str, int],
        limits: Thresholds,
    ) -> Readings:
        return Readings(
            now=history.now,
            stages=waits(history.unfinished),
            shards=tuple(shards),
            overdue=tuple(self._overdue(history.now - limits.patience)),
            services=self.services.read(history.now),
            dead=tuple(self._dead(dead, history)),
            discarded=tuple(self._discarded(history.now)),
            unexported=tuple(self._unexported()),
            replays=tuple(self._replays(history.since)),
            recent=history.recent,
            usual=history.usual,
            unfinished_complete=history.unfinished_complete,
        )

    def _overdue(self, since_before: datetime) -> Iterator[OverdueReferences]:
        for shard in self.ledger.overdue(since_before):
            if pending := len(self.ledger.read(shard).pending):
                yield OverdueReferences(shard.shard_id, pending)

    def _dead(self, depths: Mapping[str, int], history: RecentCommits) -> Iterator[DeadQueue]:
        """Yield every queue; only into those that are not empty it looks, while time is left.

        What it looks at it gives back at once.
        """
        looking = self.looking() if any(depths.values()) else {}
        for key, messages in depths.items():
            if not messages or key not in looking or history.budget.spent:
                redrivable = not messages or key in looking
                yield DeadQueue(key, messages, redrivable)
            else:
                yield self._looked_into(key, messages, looking[key])

    def _looked_into(self, key: str, messages: int, looking: Looking) -> DeadQueue:
        look = looking.look(Selection(), self.letters_looked_at)
        worst = look.groups[0] if look.groups else None
        return DeadQueue(
            key,
            messages,
            looked_at=len(look.seen),
            oldest=look.oldest,
            expires_at=look.oldest + look.depth.retention if look.oldest else None,
            commonest_error=worst.label if worst else "",
            commonest=worst.messages if worst else 0,
        )

    def _discarded(self, now: datetime) -> Iterator[OpenBatch]:
        found = list(self.discards.open())
        for batch, deadline in self.deadlines.of(found, now) if found else ():
            yield OpenBatch(
                batch.batch_id,
                batch.records,
                batch.discarded_at,
                deadline.until,
                expired=deadline.source is Source.NOWHERE,
            )

    def _unexported(self) -> Iterator[UnexportedHour]:
        """Yield the hours that wait; of more than a few rows of an hour the first tell enough."""
        for waiting in islice(self.manifests.dirty(), MOST_HOURS):
            hour = str(waiting["object_key"])
            rows = islice(self.manifests.archived(hour), _ROWS_OF_AN_HOUR)
            written = [str(row["written_at"]) for row in rows if "written_at" in row]
            yield UnexportedHour(hour, parse_rfc3339(max(written)) if written else None)

    def _replays(self, since: datetime) -> Iterator[Replay]:
        if self.replays is None:
            return iter(())
        newest = islice(self.replays.replays(), MOST_REPLAYS)
        return takewhile(lambda each: each.started_at >= since - timedelta(days=7), newest)
