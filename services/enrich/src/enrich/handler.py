"""Lambda's entry: SQS messages in, the ids of those to redeliver out."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from enrich.bootstrap import Enrichers, build_enrichers
from enrich.replayed.consumer import ReplayConsumer
from enrich.service import Enrich
from enrich.settings import EnrichSettings
from millrace.aws.dead_letters import dynamo_notes
from millrace.batch import Batch, BatchHandler, BatchNames, building, noting
from millrace.consumer import Done, ReferenceConsumer
from millrace.observability import MetricName, count, service_logger, service_metrics
from millrace.reference import Reference

logger = service_logger("enrich")
metrics = service_metrics("enrich")


def _enrich(service: Enrich, reference: Reference) -> Done:
    done = service.enrich(reference)
    for name, number in (
        (MetricName.ENTITIES_UNASSIGNED, done.gaps.entities_unassigned),
        (MetricName.ASSIGNMENTS_MALFORMED, done.gaps.assignments_malformed),
        (MetricName.EXPERIMENTS_UNKNOWN, done.gaps.experiments_unknown),
        (MetricName.BEFORE_ASSIGNMENT, done.gaps.events_before_assignment),
    ):
        count(metrics, name, number)
    return Done(done.events, {"already_marked": done.already_marked} | asdict(done.gaps))


_live = ReferenceConsumer(logger, Reference.parse, _enrich)
_replayed = ReplayConsumer(logger, metrics)


def _by_queue(
    enrichers: Enrichers, event: Mapping[str, Any], context: LambdaContext, batch: Batch
) -> dict[str, Any]:
    """Tell live from replayed by the queue: a mapping reads one, so no batch holds both."""
    if event["Records"][0]["eventSourceARN"] == enrichers.replay_queue_arn:
        return _replayed(enrichers.replayed, event, batch)
    return _live(enrichers.live, event, context, batch)


handler = BatchHandler(
    logger,
    metrics,
    BatchNames(MetricName.ENRICH_ERRORS, events=MetricName.ENRICHED),
    building(logger, EnrichSettings, build_enrichers),
    _by_queue,
    notes=noting(EnrichSettings, dynamo_notes),
)
