"""Wires enrich to AWS, once per cold start."""

from dataclasses import dataclass
from datetime import timedelta

from enrich.adapters import S3StampedObjects
from enrich.cache import CachedAssignments, CachedExperiments
from enrich.replayed.known import KnownReplays
from enrich.replayed.service import EnrichReplayed
from enrich.service import Enrich, publish_definitions
from enrich.settings import EnrichSettings
from enrich.stamp import Stamp
from millrace.aws.assignments import DynamoAssignments
from millrace.aws.clients import dynamodb_client, s3_client, sqs_client
from millrace.aws.experiments import DynamoExperiments
from millrace.aws.index import DynamoIndexWriter
from millrace.aws.ledger import DynamoLedger
from millrace.aws.queue import SqsQueue
from millrace.aws.replays import DynamoReplays
from millrace.clock import SystemClock


@dataclass(frozen=True, slots=True)
class Enrichers:
    """Both use cases, on the same resources and caches."""

    live: Enrich
    replayed: EnrichReplayed
    replay_queue_arn: str


def build_enrichers(settings: EnrichSettings) -> Enrichers:
    """Return the use cases on the resources that `settings` names; publish the definitions.

    Raises:
        ConfigError: METRICS_KEY names no object, or a right is missing.
        RetryableError: S3 cannot be reached now.
    """
    dynamodb, sqs, clock = dynamodb_client(), sqs_client(), SystemClock()
    objects = S3StampedObjects(s3_client(), settings.data_bucket)
    experiments = CachedExperiments(
        DynamoExperiments(dynamodb, settings.experiments_table),
        clock,
        ttl=timedelta(seconds=settings.assignments_ttl_s),
        absent_ttl=timedelta(seconds=settings.absence_ttl_s),
        at_most=settings.cached_experiments,
    )
    assignments = CachedAssignments(
        DynamoAssignments(dynamodb, settings.assignments_table),
        clock,
        ttl=timedelta(seconds=settings.assignments_ttl_s),
        absent_ttl=timedelta(seconds=settings.absence_ttl_s),
        at_most=settings.cached_assignments,
    )
    aggregate_queue = SqsQueue(sqs, settings.aggregate_queue_url)
    live = Enrich(
        ledger=DynamoLedger(dynamodb, settings.commits_table),
        objects=objects,
        experiments=experiments,
        assignments=assignments,
        index=DynamoIndexWriter(dynamodb, settings.event_index_table, settings.index_buckets),
        queues=(aggregate_queue, SqsQueue(sqs, settings.archive_queue_url)),
        clock=clock,
        stamp=Stamp(
            defs_version=publish_definitions(objects, settings.metrics_key),
            layout=settings.archive_layout,
        ),
    )
    replays = DynamoReplays(dynamodb, settings.replays_table)
    replayed = EnrichReplayed(
        ledger=replays,
        replays=KnownReplays(replays, clock),
        objects=objects,
        bucket=settings.data_bucket,
        experiments=experiments,
        assignments=assignments,
        aggregate_queue=aggregate_queue,
        clock=clock,
    )
    return Enrichers(live, replayed, settings.replay_queue_arn)
