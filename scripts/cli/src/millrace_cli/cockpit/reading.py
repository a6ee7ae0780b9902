"""Reads everything that the cockpit looks at, within one budget."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile

from millrace.aws.manifests import ManifestsReader
from millrace.aws.replays import DynamoReplays
from millrace.aws.services import ServiceNames, ServicesReader
from millrace.commit import ShardKey
from millrace.discarded.deadline import Source
from millrace.investigate.cockpit.findings import Check
from millrace.investigate.cockpit.inspection import inspect
from millrace.investigate.cockpit.measuring import waits
from millrace.investigate.cockpit.readings import (
    OpenBatch,
    OverdueReferences,
    Readings,
    ShardReading,
    UnexportedHour,
)
from millrace.investigate.cockpit.thresholds import Thresholds
from millrace.replay.record import Replay
from millrace.times import parse_rfc3339
from millrace_cli.cockpit.dead_queues import read_dead_queues
from millrace_cli.cockpit.history import WindowHistory
from millrace_cli.dlq import handled
from millrace_cli.environment import Environment
from millrace_cli.failures import Failures
from millrace_cli.investigation import Bounds, Investigation
from millrace_cli.pipeline import PipelineReader
from millrace_cli.status import ShardStatus, Status

MOST_HOURS = 100
"""Hours that wait for export and are looked at, the earliest first."""
MOST_REPLAYS = 100
_ROWS_OF_AN_HOUR = 1_000


@dataclass(frozen=True, slots=True)
class View:
    """One look at the pipeline."""

    since: datetime
    status: Status
    checks: tuple[Check, ...]
    complete: bool
    """False: the budget did not suffice for the whole window."""


class Cockpit:
    """Looks at one environment; what it reads of tables is counted in `investigation.cost`."""

    def __init__(self, environment: Environment, investigation: Investigation) -> None:
        self._environment = environment
        self._investigation = investigation
        self._dynamodb = investigation.dynamodb
        self._pipeline = PipelineReader(environment, investigation.dynamodb)

    def look(self, since: datetime, now: datetime, bounds: Bounds) -> View:
        """Return what there is to see; may block for about as long as the bounds allow.

        Raises:
            CommandError: AWS or the local engine cannot be asked.
        """
        asked, limits = self._investigation, Thresholds()
        history = WindowHistory(asked.ledger, asked.commits, asked.budget(bounds), since, now)
        status = self._pipeline.status(history)
        with handled("look at the pipeline"):
            readings = self._readings(status, history, limits)
        complete = history.recent.complete and history.usual.complete
        return View(since, status, inspect(readings, limits), complete)

    def _readings(self, status: Status, history: WindowHistory, limits: Thresholds) -> Readings:
        return Readings(
            now=history.now,
            stages=waits(history.unfinished),
            shards=tuple(map(_shard, status.shards)),
            overdue=tuple(self._overdue(history.now - limits.patience)),
            services=self._services().read(history.now),
            dead=read_dead_queues(self._environment, status.dlqs),
            discarded=self._discarded() if status.discarded else (),
            unexported=tuple(self._unexported()),
            replays=tuple(self._replays(history.since)),
            recent=history.recent,
            usual=history.usual,
            unfinished_complete=history.unfinished_complete,
        )

    def _services(self) -> ServicesReader:
        outputs, clients = self._environment.outputs, self._environment.clients
        names = ServiceNames(
            outputs.functions, outputs.schedules, outputs.stream_arn, outputs.queue_urls
        )
        return ServicesReader(clients.functions(), clients.rules(), clients.metrics(), names)

    def _overdue(self, since_before: datetime) -> Iterator[OverdueReferences]:
        ledger = self._investigation.ledger
        for shard in ledger.overdue(since_before):
            if pending := len(ledger.read(shard).pending):
                yield OverdueReferences(_name(shard), pending)

    def _discarded(self) -> tuple[OpenBatch, ...]:
        return tuple(
            OpenBatch(
                each.batch.batch_id,
                each.batch.records,
                each.batch.discarded_at,
                each.deadline.until,
                expired=each.deadline.source is Source.NOWHERE,
            )
            for each in Failures(self._environment).listed()
        )

    def _unexported(self) -> Iterator[UnexportedHour]:
        """Yield the hours that wait; of more than a few rows of an hour the first tell enough."""
        manifests = ManifestsReader(self._dynamodb, self._environment.outputs.tables.manifests)
        for waiting in islice(manifests.dirty(), MOST_HOURS):
            hour = str(waiting["object_key"])
            rows = islice(manifests.archived(hour), _ROWS_OF_AN_HOUR)
            written = [str(row["written_at"]) for row in rows if "written_at" in row]
            yield UnexportedHour(hour, parse_rfc3339(max(written)) if written else None)

    def _replays(self, since: datetime) -> Iterator[Replay]:
        table = self._environment.outputs.tables.replays
        if table is None:
            return iter(())
        newest = islice(DynamoReplays(self._dynamodb, table).replays(), MOST_REPLAYS)
        return takewhile(lambda each: each.started_at >= since - timedelta(days=7), newest)


def _shard(shard: ShardStatus) -> ShardReading:
    return ShardReading(
        shard.shard_id, shard.waiting, shard.waiting_since, shard.last_commit_at, shard.blocked
    )


def _name(shard: ShardKey) -> str:
    return shard.shard_id
