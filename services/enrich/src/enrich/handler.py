"""Lambda's entry: SQS messages in, the ids of those to redeliver out."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from enrich.bootstrap import build_enrich
from enrich.service import Enrich
from enrich.settings import EnrichSettings
from millrace.consumer import ReferenceConsumer
from millrace.errors import MillraceError
from millrace.observability import MetricName, count, service_logger, service_metrics
from millrace.reference import Reference
from millrace.settings import load_settings

SERVICE = "enrich"

logger = service_logger(SERVICE)
metrics = service_metrics(SERVICE)
_consumer = ReferenceConsumer(logger, metrics, MetricName.ENRICH_ERRORS)


@cache  # keeps no exception: a cold start that failed is tried again by the next invocation
def _service() -> Enrich:
    settings = load_settings(EnrichSettings)
    logger.setLevel(settings.log_level)
    return build_enrich(settings)


@logger.inject_lambda_context(correlation_id_path=None)
@metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return `{"batchItemFailures": [...]}`.

    Raises:
        ConfigError, RetryableError: the service could not be built; SQS redelivers the batch.
    """
    try:
        service = _service()
    except MillraceError:
        count(metrics, MetricName.ENRICH_ERRORS, len(event["Records"]))
        logger.exception("service not built")
        raise
    return handle(event, context, service)


def handle(event: Mapping[str, Any], context: LambdaContext, service: Enrich) -> dict[str, Any]:
    """Translate between Lambda's shapes and the service."""

    def process(reference: Reference) -> None:
        done = service.enrich(reference)
        count(metrics, MetricName.ENRICHED, done.events)
        logger.info(
            "commit enriched",
            extra={
                "commit_id": reference.commit_id,
                "correlation_id": reference.correlation_id,
                "events": done.events,
                "already_marked": done.already_marked,
                "entities_unassigned": done.gaps.entities_unassigned,
                "assignments_malformed": done.gaps.assignments_malformed,
            },
        )

    return _consumer.handle(event, context, Reference.parse, process)
