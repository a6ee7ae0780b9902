"""Lambda's entry: SQS messages in, the ids of those to redeliver out."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from aggregate.bootstrap import build_aggregate
from aggregate.reporting import Report
from aggregate.service import Aggregate
from aggregate.settings import AggregateSettings
from millrace.aws.dead_letters import dynamo_notes
from millrace.batch import Batch, BatchHandler, BatchNames, building, noting
from millrace.observability import MetricName, service_logger, service_metrics
from millrace.tracing import traced

logger = service_logger("aggregate")
metrics = service_metrics("aggregate")


def _aggregate(
    service: Aggregate, event: Mapping[str, Any], _context: LambdaContext, batch: Batch
) -> dict[str, Any]:
    """Aggregate the whole batch at once: references that touch the same rows share the writes."""
    report = Report(logger, metrics, batch)
    messages = report.references_in(event)
    references = list(messages.values())
    with traced(logger.service, [each.ids for each in references]) as failed:
        outcomes = service.aggregate(references)
        failed.update(n for n, each in enumerate(outcomes) if isinstance(each, Exception))
    for (message_id, reference), outcome in zip(messages.items(), outcomes, strict=True):
        report.note(message_id, reference, outcome, dry_run=service.dry_run)
    return report.answer()


handler = BatchHandler(
    logger,
    metrics,
    BatchNames(MetricName.AGGREGATE_ERRORS, events=MetricName.AGGREGATED),
    building(logger, AggregateSettings, build_aggregate),
    _aggregate,
    notes=noting(AggregateSettings, dynamo_notes),
)
