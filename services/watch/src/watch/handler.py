"""Lambda's entry: a schedule in, metrics and logs out.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from millrace.observability import MetricName, count, service_logger, service_metrics
from millrace.settings import load_settings
from watch.bootstrap import build_watch
from watch.service import Report, Watch
from watch.settings import WatchSettings

SERVICE = "watch"

logger = service_logger(SERVICE)
metrics = service_metrics(SERVICE)


@cache
def _service() -> Watch:
    settings = load_settings(WatchSettings)
    logger.setLevel(settings.log_level)
    return build_watch(settings, logger)


@logger.inject_lambda_context
@metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the report, for whoever invokes by hand; the schedule ignores it."""
    del event, context
    return report(_service().look())


def report(seen: Report) -> dict[str, Any]:
    """Emit the report as metrics and one log line, and return it as plain values."""
    never_or_age = [each.last_commit_age_s for each in seen.freshness]
    ages = [age for age in never_or_age if age is not None]
    count(metrics, MetricName.OVERDUE_SENT, seen.references_sent)
    count(metrics, MetricName.RESIDUE, seen.unfinished)
    count(metrics, MetricName.OLDEST_UNFINISHED_AGE, seen.oldest_unfinished_age_s)
    if ages:
        count(metrics, MetricName.STALEST_SHARD_AGE, max(ages))
    facts = {
        "references_sent": seen.references_sent,
        "unfinished": seen.unfinished,
        "oldest_unfinished_age_s": seen.oldest_unfinished_age_s,
        "last_commit_age_s_by_shard": {
            each.shard.shard_id: each.last_commit_age_s for each in seen.freshness
        },
    }
    logger.info("looked", extra=facts)
    return facts
