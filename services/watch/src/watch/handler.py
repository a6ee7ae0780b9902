"""Lambda's entry: a schedule in, metrics and logs out; or messages that tell of discarded batches.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from millrace.observability import MetricName, count, service_logger, service_metrics
from millrace.settings import load_settings
from watch.bootstrap import build_noting, build_watch
from watch.noting import NoteTaking
from watch.service import Report, Watch
from watch.settings import WatchSettings

SERVICE = "watch"

logger = service_logger(SERVICE)
metrics = service_metrics(SERVICE)


@cache
def _settings() -> WatchSettings:
    settings = load_settings(WatchSettings)
    logger.setLevel(settings.log_level)
    return settings


@cache
def _service() -> Watch:
    return build_watch(_settings(), logger)


@cache
def _noting() -> NoteTaking:
    return build_noting(_settings(), logger)


@logger.inject_lambda_context
@metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the report, for whoever invokes by hand; the schedule ignores it.

    To messages, `{"batchItemFailures": [...]}`: those to deliver again.
    """
    if "Records" in event:
        return note(event, context, _noting())
    return report(_service().look())


def note(event: Mapping[str, Any], context: LambdaContext, noting: NoteTaking) -> dict[str, Any]:
    """Keep what each message tells of; no message stops another."""

    def each(record: SQSRecord) -> None:
        try:
            count(metrics, MetricName.DISCARDED, noting.note(record.body))
        except Exception:
            logger.exception("notice failed", extra={"message_id": record.message_id})
            raise

    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return dict(
        process_partial_response(
            event=dict(event), record_handler=each, processor=processor, context=context
        )
    )


def report(seen: Report) -> dict[str, Any]:
    """Emit the report as metrics and one log line, and return it as plain values."""
    never_or_age = [each.last_commit_age_s for each in seen.freshness]
    ages = [age for age in never_or_age if age is not None]
    count(metrics, MetricName.OVERDUE_SENT, seen.references_sent)
    count(metrics, MetricName.RESIDUE, seen.unfinished)
    count(metrics, MetricName.OLDEST_UNFINISHED_AGE, seen.oldest_unfinished_age_s)
    count(metrics, MetricName.DISCARDED_OPEN, seen.discarded)
    count(metrics, MetricName.OLDEST_DISCARDED_AGE, seen.oldest_discarded_age_s)
    if ages:
        count(metrics, MetricName.STALEST_SHARD_AGE, max(ages))
    facts = {
        "references_sent": seen.references_sent,
        "unfinished": seen.unfinished,
        "oldest_unfinished_age_s": seen.oldest_unfinished_age_s,
        "discarded": seen.discarded,
        "oldest_discarded_age_s": seen.oldest_discarded_age_s,
        "last_commit_age_s_by_shard": {
            each.shard.shard_id: each.last_commit_age_s for each in seen.freshness
        },
    }
    logger.info("looked", extra=facts)
    return facts
