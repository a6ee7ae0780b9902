"""Lambda's entry: SQS messages in, the ids of those to redeliver out."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from archive.bootstrap import build_archive
from archive.service import Archive
from archive.settings import ArchiveSettings
from millrace.consumer import ReferenceConsumer
from millrace.errors import MillraceError
from millrace.observability import MetricName, count, service_logger, service_metrics
from millrace.reference import EnrichedReference
from millrace.settings import load_settings

SERVICE = "archive"

logger = service_logger(SERVICE)
metrics = service_metrics(SERVICE)
_consumer = ReferenceConsumer(logger, metrics, MetricName.ARCHIVE_ERRORS)


@cache  # keeps no exception: a cold start that failed is tried again by the next invocation
def _service() -> Archive:
    settings = load_settings(ArchiveSettings)
    logger.setLevel(settings.log_level)
    return build_archive(settings)


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
        count(metrics, MetricName.ARCHIVE_ERRORS, len(event["Records"]))
        logger.exception("service not built")
        raise
    return handle(event, context, service)


def handle(event: Mapping[str, Any], context: LambdaContext, service: Archive) -> dict[str, Any]:
    """Translate between Lambda's shapes and the service."""

    def process(reference: EnrichedReference) -> None:
        done = service.archive(reference)
        count(metrics, MetricName.ARCHIVED, done.events)
        count(metrics, MetricName.ARCHIVE_OBJECTS, done.objects)
        logger.info(
            "commit archived",
            extra={
                "commit_id": reference.commit_id,
                "correlation_id": reference.correlation_id,
                "events": done.events,
                "objects": done.objects,
                "already_marked": done.already_marked,
            },
        )

    return _consumer.handle(event, context, EnrichedReference.parse, process)
