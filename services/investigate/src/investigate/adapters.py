"""What is asked: one deployment's tables, bucket, stream, queues and functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from millrace.aws.batch_deadlines import BatchDeadlines
from millrace.aws.clients import (
    cloudwatch_client,
    dynamodb_client,
    events_client,
    kinesis_client,
    lambda_client,
    s3_client,
    sqs_client,
)
from millrace.aws.cockpit import CockpitReader
from millrace.aws.dead_letters import DynamoNotes, SqsDeadLetters
from millrace.aws.discarded import DynamoDiscards
from millrace.aws.investigation import Investigated, Investigation
from millrace.aws.manifests import ManifestsReader
from millrace.aws.recent_commits import RecentCommits
from millrace.aws.replays import DynamoReplays
from millrace.aws.services import ServiceNames, ServicesReader
from millrace.aws.shard_tips import ShardTips
from millrace.discarded.batch import ends_of
from millrace.dlq.looking import Looking
from millrace.investigate.cockpit.telling import Inspection
from millrace.investigate.unfinished import MOST_COMMITS
from millrace.read_cost import Budget

_LETTERS_LOOKED_AT = 10
"""Of each queue: one call, so that a request has the time for all queues."""


def investigation_of(names: Investigated) -> Investigation:
    """Return the use cases on these resources, with clients whose reads are counted."""
    return Investigation(names, dynamodb_client(), s3_client(), kinesis_client())


@dataclass(frozen=True, slots=True)
class CockpitNames:
    """The names of what the cockpit reads besides what is investigated."""

    investigated: Investigated
    services: ServiceNames
    dead_letter_urls: Mapping[str, str]
    """By queue."""
    notes_table: str
    repair_days: int


class Cockpit:
    """Looks at everything; what it reads of tables is counted in the investigation's cost."""

    def __init__(self, asked: Investigation, names: CockpitNames) -> None:
        own = names.investigated
        stream = own.stream_arn, own.stream_incarnation
        kept = timedelta(days=names.repair_days)
        self._asked = asked
        self._names = names
        self._sqs = sqs_client()
        self._discards = DynamoDiscards(asked.dynamodb, own.commits_table)
        self._tips = ShardTips(kinesis_client(), asked.ledger, *stream)
        self._reader = CockpitReader(
            asked.ledger,
            self._discards,
            BatchDeadlines(kinesis_client(), s3_client(), *stream, own.data_bucket, kept),
            ManifestsReader(asked.dynamodb, own.manifests_table),
            DynamoReplays(asked.dynamodb, own.replays_table),
            ServicesReader(lambda_client(), events_client(), cloudwatch_client(), names.services),
            self._looking,
            _LETTERS_LOOKED_AT,
        )

    def inspect(self, since: datetime, budget: Budget) -> Inspection:
        """Return what every check found.

        Raises:
            RetryableError, ConfigError: something does not answer.
        """
        asked = self._asked
        shards = list(self._tips.all(ends_of(self._discards.open())))
        seen = RecentCommits(
            asked.ledger, asked.commits, budget, since, asked.clock.now(), MOST_COMMITS
        )
        seen.read()
        dead = {key: each.depth().total for key, each in self._letters().items()}
        return self._reader.inspection(seen, shards, dead)

    def _looking(self) -> Mapping[str, Looking]:
        notes = DynamoNotes(self._asked.dynamodb, self._names.notes_table)
        clock = self._asked.clock
        return {key: Looking(each, notes, clock) for key, each in self._letters().items()}

    def _letters(self) -> dict[str, SqsDeadLetters]:
        urls = self._names.services.queue_urls
        return {
            key: SqsDeadLetters(self._sqs, urls[key], dead_letter_url)
            for key, dead_letter_url in self._names.dead_letter_urls.items()
        }
