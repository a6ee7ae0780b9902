"""Wires aggregate to AWS, once per cold start."""

from datetime import timedelta

from aggregate.adapters.counters import DynamoCounters
from aggregate.adapters.markers import DynamoMarkers
from aggregate.catalogue import DefinitionsCatalogue
from aggregate.service import Aggregate
from aggregate.settings import AggregateSettings
from millrace.aws.clients import dynamodb_client, s3_client
from millrace.aws.ledger import DynamoLedger
from millrace.aws.objects import S3Objects
from millrace.clock import SystemClock


def build_aggregate(settings: AggregateSettings) -> Aggregate:
    """Return the use case on the resources that `settings` names; no call is made."""
    dynamodb, clock = dynamodb_client(), SystemClock()
    objects = S3Objects(s3_client(), settings.data_bucket)
    return Aggregate(
        ledger=DynamoLedger(dynamodb, settings.commits_table),
        objects=objects,
        definitions=DefinitionsCatalogue(objects),
        markers=DynamoMarkers(
            dynamodb,
            settings.markers_table,
            clock,
            ttl=timedelta(days=settings.marker_ttl_days),
        ),
        counters=DynamoCounters(dynamodb, settings.commits_table, settings.aggregates_table, clock),
        clock=clock,
    )
