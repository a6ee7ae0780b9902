"""Wires aggregate to AWS, once per cold start."""

from datetime import timedelta

from aggregate.adapters.counters import DynamoCounters
from aggregate.adapters.markers import DynamoMarkers
from aggregate.adapters.marks import PartMarks
from aggregate.catalogue import DefinitionsCatalogue
from aggregate.following import ReplayFollower
from aggregate.loading import Loader
from aggregate.service import Aggregate
from aggregate.settings import AggregateSettings
from millrace.aws.clients import dynamodb_client, s3_client
from millrace.aws.ledger import DynamoLedger
from millrace.aws.objects import S3Objects
from millrace.aws.replays import DynamoReplays
from millrace.clock import SystemClock


def build_aggregate(settings: AggregateSettings) -> Aggregate:
    """Return the use case on the resources that `settings` names; no call is made."""
    dynamodb, clock = dynamodb_client(), SystemClock()
    objects = S3Objects(s3_client(), settings.data_bucket)
    ledger = DynamoLedger(dynamodb, settings.commits_table)
    ttl = timedelta(days=settings.marker_ttl_days)
    marks = PartMarks(dynamodb, settings.commits_table, settings.markers_table, clock, ttl)
    return Aggregate(
        ledger=ledger,
        loader=Loader(ledger, objects, DefinitionsCatalogue(objects)),
        markers=DynamoMarkers(dynamodb, settings.markers_table, clock, ttl),
        counters=DynamoCounters(
            dynamodb, settings.aggregates_table, marks, clock, hot=settings.hot_scope_rows
        ),
        replays=ReplayFollower(DynamoReplays(dynamodb, settings.replays_table), clock),
        clock=clock,
        dry_run=settings.dry_run,
    )
