"""Lambda's entry: a Kinesis batch in, the first sequence number to retry out.

https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
"""

from base64 import b64decode
from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from ingest.bootstrap import build_ingest
from ingest.domain.records import StreamRecord
from ingest.reporting import report
from ingest.service import Ingest
from ingest.settings import IngestSettings
from millrace.batch import BatchNames, measured
from millrace.commit import ShardKey
from millrace.observability import MetricName, service_logger, service_metrics
from millrace.settings import load_settings
from millrace.tracing import traced

SERVICE = "ingest"
logger = service_logger(SERVICE)
metrics = service_metrics(SERVICE)
_NAMES = BatchNames(
    MetricName.INGEST_ERRORS, MetricName.RECORDS_SUCCEEDED, MetricName.RECORDS_FAILED
)


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
    return handle(event, context, _service(), _settings())


def handle(
    event: Mapping[str, Any], context: LambdaContext, service: Ingest, settings: IngestSettings
) -> dict[str, Any]:
    """Translate between Lambda's shapes and the service (a batch comes from one shard)."""
    records = event["Records"]
    shard = ShardKey(settings.stream_incarnation, records[0]["eventID"].partition(":")[0])

    def has_time() -> bool:
        return context.get_remaining_time_in_millis() > settings.commit_reserve_s * 1000

    with measured(metrics, _NAMES, len(records)) as batch:
        batch.errors = 1  # unless it ends well: one call of Lambda is one error
        decoded, ids = (
            [_record(each) for each in records],
            {"correlation_id": context.aws_request_id},
        )
        with traced(SERVICE, [ids]):
            result = service.ingest(shard, decoded, context.aws_request_id, has_time)
        batch.failed -= result.already_committed + result.committed
        batch.errors = int(result.retry_from is not None)
    report(
        logger,
        metrics,
        shard=shard,
        delivered=len(records),
        result=result,
        max_rejected_share=settings.max_rejected_share,
    )
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
