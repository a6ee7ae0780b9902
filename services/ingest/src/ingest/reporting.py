"""What a batch says of itself: metrics and logs, never payloads."""

from collections import Counter

from aws_lambda_powertools import Logger, Metrics

from ingest.service import BatchResult
from millrace.commit import ShardKey
from millrace.lag import merged, quantile_ms
from millrace.observability import MetricName, count, count_by_reason

_LOGGED_REJECTIONS = 20  # the quarantine object holds them all
_GUARDED_RECORDS = 20  # below this many, one bad record is already a large share


def report(
    logger: Logger,
    metrics: Metrics,
    *,
    shard: ShardKey,
    delivered: int,
    result: BatchResult,
    max_rejected_share: float,
) -> None:
    """Emit the metrics of a batch and log what came of it."""
    _count(metrics, result)
    _count_reasons(result)
    _guard(logger, metrics, shard, result, max_rejected_share)
    _log_rejections(logger, shard, result)
    counts = result.counts
    logger.info(
        "batch done",
        extra={
            "shard": str(shard),
            "delivered": delivered,
            "already_committed": result.already_committed,
            "commit_ids": [commit.head.commit_id for commit in result.commits],
            "accepted": counts.accepted,
            "duplicates": counts.duplicates,
            "conflicts": counts.conflicts,
            "quarantined": counts.quarantined,
            "retry_from": None if result.retry_from is None else str(result.retry_from),
        },
    )


def _count(metrics: Metrics, result: BatchResult) -> None:
    counts = result.counts
    stats = [each for commit in result.commits for each in commit.body.stats]
    for name, value in (
        (MetricName.RECEIVED, counts.received),
        (MetricName.ACCEPTED, counts.accepted),
        (MetricName.DUPLICATES, counts.duplicates),
        (MetricName.CONFLICTS, counts.conflicts),
        (MetricName.LATE, sum(each.late for each in stats)),
        (MetricName.RAW_BYTES, sum(commit.head.raw_bytes for commit in result.commits)),
    ):
        count(metrics, name, value)
    lags = merged(each.lag for each in stats)
    if lags:
        count(metrics, MetricName.LAG_P50, quantile_ms(lags, 0.5))
        count(metrics, MetricName.LAG_P99, quantile_ms(lags, 0.99))


def _count_reasons(result: BatchResult) -> None:
    reasons = Counter(
        each.outcome.rejection.reason for each in result.rejected if each.outcome.rejection
    )
    for reason, number in reasons.items():
        count_by_reason(MetricName.QUARANTINED, "ingest", reason, number)


def _guard(
    logger: Logger, metrics: Metrics, shard: ShardKey, result: BatchResult, max_share: float
) -> None:
    """Be loud when a bad deploy sends everything to quarantine instead of some bad records."""
    counts = result.counts
    over = counts.received >= _GUARDED_RECORDS and counts.quarantined > max_share * counts.received
    count(metrics, MetricName.DIVERSION_GUARD, int(over))
    if over:
        logger.error(
            "most of a batch is rejected",
            extra={
                "shard": str(shard),
                "received": counts.received,
                "quarantined": counts.quarantined,
                "max_rejected_share": max_share,
            },
        )


def _log_rejections(logger: Logger, shard: ShardKey, result: BatchResult) -> None:
    for rejected in result.rejected[:_LOGGED_REJECTIONS]:
        rejection = rejected.outcome.rejection
        logger.warning(
            "record rejected",
            extra={
                "reason": rejection.reason if rejection else None,
                "shard": str(shard),
                "sequence": str(rejected.judged.record.seq),
                "position": rejected.outcome.position,
            },
        )
