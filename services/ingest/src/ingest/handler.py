"""Lambda's entry: a Kinesis batch in, the first sequence number to retry out.

https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
"""

from base64 import b64decode
from collections.abc import Mapping
from functools import cache
from time import perf_counter
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from ingest.bootstrap import build_ingest
from ingest.domain.records import StreamRecord
from ingest.service import BatchResult, Ingest
from ingest.settings import IngestSettings
from millrace.commit import ShardKey
from millrace.observability import MetricName, count, service_logger, service_metrics
from millrace.settings import load_settings

SERVICE = "ingest"
_LOGGED_REJECTIONS = 20  # the quarantine object holds them all

logger = service_logger(SERVICE)
metrics = service_metrics(SERVICE)


@cache
def _settings() -> IngestSettings:
    return load_settings(IngestSettings)


@cache
def _service() -> Ingest:
    logger.setLevel(_settings().log_level)
    return build_ingest(_settings(), logger)


@logger.inject_lambda_context
@metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return `{"batchItemFailures": [...]}` with at most one item: retry from there."""
    return handle(event, context, _service(), _settings().stream_incarnation)


def handle(
    event: Mapping[str, Any], context: LambdaContext, service: Ingest, incarnation: str
) -> dict[str, Any]:
    """Translate between Lambda's shapes and the service (a batch comes from one shard)."""
    started = perf_counter()
    records = event["Records"]
    shard = ShardKey(incarnation, records[0]["eventID"].partition(":")[0])
    result = service.ingest(shard, [_record(each) for each in records], context.aws_request_id)
    _report(shard, len(records), result)
    count(metrics, MetricName.BATCH_DURATION, (perf_counter() - started) * 1000)
    if result.retry_from is None:
        return {"batchItemFailures": []}
    return {"batchItemFailures": [{"itemIdentifier": str(result.retry_from)}]}


def _record(record: Mapping[str, Any]) -> StreamRecord:
    kinesis = record["kinesis"]
    return StreamRecord(
        seq=int(kinesis["sequenceNumber"]),
        arrival_ms=round(kinesis["approximateArrivalTimestamp"] * 1000),
        data=b64decode(kinesis["data"]),
    )


def _report(shard: ShardKey, delivered: int, result: BatchResult) -> None:
    counts = result.counts
    for name, value in (
        (MetricName.RECEIVED, counts.received),
        (MetricName.ACCEPTED, counts.accepted),
        (MetricName.DUPLICATES, counts.duplicates),
        (MetricName.CONFLICTS, counts.conflicts),
        (MetricName.QUARANTINED, counts.quarantined),
        (MetricName.RAW_BYTES, sum(head.raw_bytes for head in result.commits)),
        (MetricName.INGEST_ERRORS, int(result.retry_from is not None)),
    ):
        count(metrics, name, value)
    _log_rejections(shard, result)
    logger.info(
        "batch done",
        extra={
            "shard": str(shard),
            "delivered": delivered,
            "already_committed": result.already_committed,
            "commit_ids": [head.commit_id for head in result.commits],
            "accepted": counts.accepted,
            "duplicates": counts.duplicates,
            "conflicts": counts.conflicts,
            "quarantined": counts.quarantined,
            "retry_from": result.retry_from,
        },
    )


def _log_rejections(shard: ShardKey, result: BatchResult) -> None:
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
