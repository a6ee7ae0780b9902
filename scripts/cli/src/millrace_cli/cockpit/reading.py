"""Reads everything that the cockpit looks at, within one budget."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from millrace.aws.batch_deadlines import BatchDeadlines
from millrace.aws.cockpit import CockpitReader
from millrace.aws.discarded import DynamoDiscards
from millrace.aws.manifests import ManifestsReader
from millrace.aws.recent_commits import RecentCommits
from millrace.aws.replays import DynamoReplays
from millrace.aws.services import ServiceNames, ServicesReader
from millrace.dlq.looking import Looking
from millrace.investigate.cockpit.readings import ShardReading
from millrace.investigate.cockpit.telling import Inspection
from millrace_cli.cockpit.history import WindowHistory
from millrace_cli.dlq import dead_letters, handled
from millrace_cli.environment import Environment
from millrace_cli.investigation import Bounds, Investigation
from millrace_cli.pipeline import PipelineReader
from millrace_cli.status import ShardStatus, Status


@dataclass(frozen=True, slots=True)
class View:
    """One look at the pipeline."""

    status: Status
    inspection: Inspection


class Cockpit:
    """Looks at one environment; what it reads of tables is counted in `investigation.cost`."""

    def __init__(self, environment: Environment, investigation: Investigation) -> None:
        self._environment = environment
        self._investigation = investigation
        self._pipeline = PipelineReader(environment, investigation.dynamodb)

    def look(self, since: datetime, now: datetime, bounds: Bounds) -> View:
        """Return what there is to see; may block for about as long as the bounds allow.

        Raises:
            CommandError: AWS or the local engine cannot be asked.
        """
        asked = self._investigation
        seen = RecentCommits(asked.ledger, asked.commits, asked.budget(bounds), since, now)
        status = self._pipeline.status(WindowHistory(seen))
        dead = {each.name: each.total for each in status.dlqs}
        with handled("look at the pipeline"):
            shards = [_shard(each) for each in status.shards]
            return View(status, self._reader().inspection(seen, shards, dead))

    def _reader(self) -> CockpitReader:
        outputs, clients = self._environment.outputs, self._environment.clients
        tables, dynamodb = outputs.tables, self._investigation.dynamodb
        return CockpitReader(
            self._investigation.ledger,
            DynamoDiscards(dynamodb, tables.commits),
            BatchDeadlines(
                clients.kinesis(),
                clients.s3(),
                outputs.stream_arn,
                outputs.stream_incarnation,
                outputs.data_bucket,
                timedelta(days=outputs.repair_days),
            ),
            ManifestsReader(dynamodb, tables.manifests),
            DynamoReplays(dynamodb, tables.replays) if tables.replays is not None else None,
            ServicesReader(
                clients.functions(),
                clients.rules(),
                clients.metrics(),
                ServiceNames(
                    outputs.functions, outputs.schedules, outputs.stream_arn, outputs.queue_urls
                ),
            ),
            self._looking,
        )

    def _looking(self) -> Mapping[str, Looking]:
        if self._environment.outputs.tables.notes is None:
            return {}
        return {key: each.looking for key, each in dead_letters(self._environment).items()}


def _shard(shard: ShardStatus) -> ShardReading:
    return ShardReading(
        shard.shard_id, shard.waiting, shard.waiting_since, shard.last_commit_at, shard.blocked
    )
