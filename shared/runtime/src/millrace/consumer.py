"""The consumer loop of the stages that live on references: one SQS message, one verdict.

Powertools goes message by message and answers with the ids that failed, so that SQS redelivers
those alone: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from millrace.observability import MetricName, count
from millrace.reference import Reference

R = TypeVar("R", bound=Reference)


class ReferenceConsumer:
    """Runs a service over each reference of a batch and reports the ones that failed."""

    def __init__(self, logger: Logger, metrics: Metrics, errors: MetricName) -> None:
        self._logger = logger
        self._metrics = metrics
        self._errors = errors

    def handle(
        self,
        event: Mapping[str, Any],
        context: LambdaContext,
        parse: Callable[[str], R],
        process: Callable[[R], None],
    ) -> dict[str, Any]:
        """Return `{"batchItemFailures": [...]}`; no exception of one message reaches another."""
        started = perf_counter()

        def each(record: SQSRecord) -> None:
            self._one(record, parse, process)

        processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
        answer = process_partial_response(
            event=dict(event), record_handler=each, processor=processor, context=context
        )
        failed = len(answer["batchItemFailures"])
        count(self._metrics, MetricName.REFERENCES_FAILED, failed)
        count(self._metrics, MetricName.REFERENCES_SUCCEEDED, len(event["Records"]) - failed)
        count(self._metrics, self._errors, failed)
        count(self._metrics, MetricName.BATCH_DURATION, (perf_counter() - started) * 1000)
        return dict(answer)

    def _one(
        self, record: SQSRecord, parse: Callable[[str], R], process: Callable[[R], None]
    ) -> None:
        facts: dict[str, object] = {"message_id": record.message_id}
        try:
            reference = parse(record.body)
            facts |= {
                "commit_id": reference.commit_id,
                "correlation_id": reference.correlation_id,
            }
            process(reference)
        except Exception:
            self._logger.exception("reference failed", extra=facts)
            raise
        self._logger.info("reference done", extra=facts)
