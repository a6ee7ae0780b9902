"""Investigations of one environment: the use cases, wired to its tables and its bucket."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from millrace.aws.aggregates import AggregatesReader
from millrace.aws.commit_pages import DynamoCommitPages, KinesisShards
from millrace.aws.events import EventReader
from millrace.aws.index import DynamoIndexPages
from millrace.aws.ledger import DynamoLedger
from millrace.aws.manifests import ManifestsReader
from millrace.aws.metering import meter_objects, meter_tables
from millrace.aws.objects import S3Objects
from millrace.aws.replays import DynamoReplays
from millrace.clock import SystemClock
from millrace.commit import ShardKey
from millrace.errors import ConfigError, MillraceError, RetryableError
from millrace.investigate.biographer import Biographer
from millrace.investigate.counted import CountTrail
from millrace.investigate.duplicates import Duplicates
from millrace.investigate.errors import InvalidQuestion
from millrace.investigate.finding import EventFinder
from millrace.investigate.gaps import Gaps
from millrace.investigate.late import LateEvents
from millrace.investigate.record import Records
from millrace.investigate.retold import ReplayTrail
from millrace.investigate.sources import Sources
from millrace.read_cost import Budget, ReadCost
from millrace_cli.aws import explained
from millrace_cli.environment import Environment
from millrace_cli.errors import CommandError, ExitCode

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one command may read."""

    max_pages: int
    deadline_s: float


class Investigation:
    """What can be asked of one environment; every read of it is counted in `cost`."""

    def __init__(self, environment: Environment) -> None:
        self.cost = ReadCost()
        self._environment = environment
        self._outputs = environment.outputs
        self._clock = SystemClock()
        self.dynamodb: DynamoDBClient = environment.clients.dynamodb()
        meter_tables(self.dynamodb, self.cost)
        s3 = environment.clients.s3()
        meter_objects(s3, self.cost)
        tables = self._outputs.tables
        self.objects = S3Objects(s3, self._outputs.data_bucket)
        self.ledger = DynamoLedger(self.dynamodb, tables.commits)
        self._index = DynamoIndexPages(self.dynamodb, tables.event_index)

    def budget(self, bounds: Bounds) -> Budget:
        """Return a budget that begins now."""
        deadline = self._clock.now() + timedelta(seconds=bounds.deadline_s)
        return Budget(self.cost, self._clock, max_pages=bounds.max_pages, deadline=deadline)

    @cached_property
    def commits(self) -> DynamoCommitPages:
        """The commits by arrival."""
        outputs = self._outputs
        kinesis = self._environment.clients.kinesis()
        shards = KinesisShards(kinesis, outputs.stream_arn, outputs.stream_incarnation)
        return DynamoCommitPages(self.dynamodb, outputs.tables.commits, shards)

    @property
    def gaps(self) -> Gaps:
        """The silences of entities and sources."""
        return Gaps(self._index, self._clock)

    @property
    def duplicates(self) -> Duplicates:
        """What came again."""
        return Duplicates(self.commits, self.ledger, self.objects)

    @property
    def late(self) -> LateEvents:
        """What came late."""
        return LateEvents(self.commits, self.objects)

    @property
    def sources(self) -> Sources:
        """The sources, ranked."""
        return Sources(self.commits, self.objects)

    @property
    def records(self) -> Records:
        """Single records of the stream."""
        return Records(self.ledger, self.objects)

    @property
    def finder(self) -> EventFinder:
        """Single events."""
        gate = EventReader(self.dynamodb, self._outputs.tables.gate, self.ledger, self.objects)
        return EventFinder(gate, self.ledger, self._index, self.objects)

    @property
    def biographer(self) -> Biographer:
        """The biographies of events.

        Raises:
            CommandError: the environment was deployed before there were replays.
        """
        tables = self._outputs.tables
        if tables.replays is None:
            raise CommandError(
                "this environment has no table of replays", "deploy it anew (`make deploy`)"
            )
        return Biographer(
            self.finder,
            self.commits,
            self.objects,
            CountTrail(self.objects, AggregatesReader(self.dynamodb, tables.aggregates)),
            ManifestsReader(self.dynamodb, tables.manifests),
            ReplayTrail(DynamoReplays(self.dynamodb, tables.replays)),
            self._clock,
        )

    def shard(self, name: str) -> ShardKey:
        """Return the shard of a name as `millrace status` shows it, or as commit rows hold it."""
        if "#" in name:
            return ShardKey.parse(name)
        return ShardKey(self._outputs.stream_incarnation, name)


@contextmanager
def answering(intent: str) -> Iterator[None]:
    """Turn what an investigation raises inside the block into a CommandError.

    Raises:
        CommandError: naming the option that is wrong, or what could not be read.
    """
    with explained(intent):
        try:
            yield
        except InvalidQuestion as err:
            option = f"--{err.field.replace('_', '-')}"
            raise CommandError(f"{option}: {err.problem}", code=ExitCode.USAGE) from err
        except (ConfigError, RetryableError):
            raise
        except MillraceError as err:
            raise CommandError(f"cannot {intent}: {err}") from err


def now() -> datetime:
    """Return the present, to say what a period means that was left out."""
    return datetime.now(UTC)
