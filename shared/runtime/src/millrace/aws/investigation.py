"""Investigations of one deployment: the use cases, wired to its tables, its bucket and its stream.

The command and the HTTP API both ask through this, so both answer alike.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from millrace.aws.aggregates import AggregatesReader
from millrace.aws.arrivals import KinesisShards
from millrace.aws.commit_pages import DynamoCommitPages
from millrace.aws.events import EventReader
from millrace.aws.index import DynamoIndexPages
from millrace.aws.ledger import DynamoLedger
from millrace.aws.manifests import ManifestsReader
from millrace.aws.metering import meter_objects, meter_tables
from millrace.aws.objects import S3Objects
from millrace.aws.quarantine import DynamoMarks
from millrace.aws.replays import DynamoReplays
from millrace.aws.unfinished import DynamoUnfinished
from millrace.clock import SystemClock
from millrace.investigate.aggregates import AggregatePages
from millrace.investigate.biographer import Biographer
from millrace.investigate.counted import CountTrail
from millrace.investigate.duplicates import Duplicates
from millrace.investigate.finding import EventFinder
from millrace.investigate.gaps import Gaps
from millrace.investigate.late import LateEvents
from millrace.investigate.record import Records
from millrace.investigate.retold import ReplayTrail
from millrace.investigate.sources import Sources
from millrace.investigate.timeline import Timeline
from millrace.read_cost import ReadCost

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_kinesis import KinesisClient
    from types_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Investigated:
    """The names of what is read."""

    commits_table: str
    gate_table: str
    event_index_table: str
    aggregates_table: str
    manifests_table: str
    replays_table: str
    data_bucket: str
    stream_arn: str
    stream_incarnation: str


class Investigation:
    """What can be asked of one deployment; every read of it is counted in `cost`.

    Its parts may block, and raise RetryableError or ConfigError.
    """

    def __init__(
        self,
        names: Investigated,
        dynamodb: "DynamoDBClient",
        s3: "S3Client",
        kinesis: "KinesisClient",
    ) -> None:
        """The clients are the investigation's own from now on: their reads are counted."""
        self.cost = ReadCost()
        self.clock = SystemClock()
        self._names = names
        self.dynamodb = dynamodb
        self._kinesis = kinesis
        meter_tables(dynamodb, self.cost)
        meter_objects(s3, self.cost)
        self.objects = S3Objects(s3, names.data_bucket)
        self.ledger = DynamoLedger(dynamodb, names.commits_table)
        self._index = DynamoIndexPages(dynamodb, names.event_index_table)

    @cached_property
    def commits(self) -> DynamoCommitPages:
        """The commits by arrival."""
        return DynamoCommitPages(self.dynamodb, self._names.commits_table, self._shards)

    @property
    def gaps(self) -> Gaps:
        """The silences of entities and sources."""
        return Gaps(self._index, self.clock)

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
        marks = DynamoMarks(self.dynamodb, self._names.commits_table)
        return Records(self.ledger, self.objects, marks)

    @property
    def timeline(self) -> Timeline:
        """Entities' events, page by page."""
        return Timeline(self._index, self._events.read)

    @property
    def aggregates(self) -> AggregatePages:
        """Aggregate rows, page by page."""
        return AggregatePages(AggregatesReader(self.dynamodb, self._names.aggregates_table))

    @property
    def unfinished(self) -> DynamoUnfinished:
        """What is left to do."""
        return DynamoUnfinished(self.dynamodb, self._names.commits_table, self._shards)

    @property
    def finder(self) -> EventFinder:
        """Single events; a new one each time, as it keeps the commits that it reads."""
        return EventFinder(self._events, self.ledger, self._index, self.objects)

    @property
    def biographer(self) -> Biographer:
        """The biographies of events."""
        names = self._names
        return Biographer(
            self.finder,
            self.commits,
            self.objects,
            CountTrail(self.objects, AggregatesReader(self.dynamodb, names.aggregates_table)),
            ManifestsReader(self.dynamodb, names.manifests_table),
            ReplayTrail(DynamoReplays(self.dynamodb, names.replays_table)),
            self.clock,
        )

    @property
    def _shards(self) -> KinesisShards:
        names = self._names
        return KinesisShards(self._kinesis, names.stream_arn, names.stream_incarnation)

    @property
    def _events(self) -> EventReader:
        return EventReader(self.dynamodb, self._names.gate_table, self.ledger, self.objects)
