"""Lambda's entry: SQS messages in, the ids of those to redeliver out."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from aggregate.bootstrap import build_aggregate
from aggregate.service import Aggregate
from aggregate.settings import AggregateSettings
from millrace.consumer import ReferenceConsumer
from millrace.errors import MillraceError
from millrace.observability import MetricName, count, service_logger, service_metrics
from millrace.reference import EnrichedReference
from millrace.settings import load_settings

SERVICE = "aggregate"

logger = service_logger(SERVICE)
metrics = service_metrics(SERVICE)
_consumer = ReferenceConsumer(logger, metrics, MetricName.AGGREGATE_ERRORS)


@cache  # keeps no exception: a cold start that failed is tried again by the next invocation
def _service() -> Aggregate:
    settings = load_settings(AggregateSettings)
    logger.setLevel(settings.log_level)
    return build_aggregate(settings)


@logger.inject_lambda_context(correlation_id_path=None)
@metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return `{"batchItemFailures": [...]}`.

    Raises:
        ConfigError: the function's environment is incomplete; SQS redelivers the batch.
    """
    try:
        service = _service()
    except MillraceError:
        count(metrics, MetricName.AGGREGATE_ERRORS, len(event["Records"]))
        logger.exception("service not built")
        raise
    return handle(event, context, service)


def handle(event: Mapping[str, Any], context: LambdaContext, service: Aggregate) -> dict[str, Any]:
    """Translate between Lambda's shapes and the service."""

    def process(reference: EnrichedReference) -> None:
        done = service.aggregate(reference)
        count(metrics, MetricName.AGGREGATED, done.events)
        logger.info(
            "commit aggregated",
            extra={
                "commit_id": reference.commit_id,
                "correlation_id": reference.correlation_id,
                "events": done.events,
                "counters": done.counters,
                "parts": done.parts,
                "parts_done_before": done.parts_done_before,
                "unusable_amounts": done.unusable_amounts,
                "already_marked": done.already_marked,
            },
        )

    return _consumer.handle(event, context, EnrichedReference.parse, process)
