"""Lambda's entry: a Kinesis batch in, the first sequence number to retry out.

Or, from an operator, a question about a batch that was discarded (`millrace.discarded.request`).

https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from ingest.bootstrap import build_ingest, build_repairs
from ingest.domain.lambda_records import stream_records
from ingest.ports import HasTime
from ingest.repairs import Repairs
from ingest.reporting import report
from ingest.service import Ingest
from ingest.settings import IngestSettings
from millrace.batch import BatchNames, measured
from millrace.commit import ShardKey
from millrace.discarded.request import KEY, DiscardedRequest
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


@cache
def _repairs() -> Repairs:
    return build_repairs(_settings(), _service())


@logger.inject_lambda_context
@metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return `{"batchItemFailures": [...]}` with at most one item: retry from there."""
    if KEY in event:
        return handle_discarded(event, context, _repairs(), _settings())
    return handle(event, context, _service(), _settings())


def handle_discarded(
    event: Mapping[str, Any], context: LambdaContext, repairs: Repairs, settings: IngestSettings
) -> dict[str, Any]:
    """Answer what is asked about a discarded batch; a repair is reported as any batch is.

    Raises:
        MalformedRequest: it asks for nothing.
    """
    request = DiscardedRequest.parse(event)
    done = repairs.run(request, context.aws_request_id, _has_time(context, settings))
    if done.result is not None:
        report(
            logger,
            metrics,
            shard=request.shard,
            delivered=done.delivered,
            result=done.result,
            max_rejected_share=settings.max_rejected_share,
        )
    return done.answer.as_dict()


def handle(
    event: Mapping[str, Any], context: LambdaContext, service: Ingest, settings: IngestSettings
) -> dict[str, Any]:
    """Translate between Lambda's shapes and the service (a batch comes from one shard)."""
    records = event["Records"]
    shard = ShardKey(settings.stream_incarnation, records[0]["eventID"].partition(":")[0])
    with measured(metrics, _NAMES, len(records)) as batch:
        batch.errors = 1  # unless it ends well: one call of Lambda is one error
        decoded = stream_records(records)
        has_time = _has_time(context, settings)
        with traced(SERVICE, [{"correlation_id": context.aws_request_id}]):
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


def _has_time(context: LambdaContext, settings: IngestSettings) -> HasTime:
    return lambda: context.get_remaining_time_in_millis() > settings.commit_reserve_s * 1000
