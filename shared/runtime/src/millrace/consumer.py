"""The consumer loop of the stages that live on references: one SQS message, one verdict.

Powertools goes message by message and answers with the ids that failed, so that SQS redelivers
those alone: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from millrace.batch import Batch
from millrace.reference import Reference
from millrace.tracing import traced

R = TypeVar("R", bound=Reference)
Service = TypeVar("Service")


@dataclass(frozen=True, slots=True)
class Done:
    """What a service made of one reference."""

    events: int
    facts: Mapping[str, object] = field(default_factory=dict)
    """What the log says beside the ids; never anything of an event."""


@dataclass(frozen=True, slots=True)
class ReferenceConsumer(Generic[Service, R]):
    """The work of a `BatchHandler` whose every message is a reference of its own."""

    logger: Logger
    parse: Callable[[str], R]
    process: Callable[[Service, R], Done]

    def __call__(
        self, service: Service, event: Mapping[str, Any], context: LambdaContext, batch: Batch
    ) -> dict[str, Any]:
        """Return `{"batchItemFailures": [...]}`; no exception of one message reaches another."""

        def each(record: SQSRecord) -> None:
            batch.events += self._one(service, record, batch)

        processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
        answer = process_partial_response(
            event=dict(event), record_handler=each, processor=processor, context=context
        )
        batch.failed = len(answer["batchItemFailures"])
        return dict(answer)

    def _one(self, service: Service, record: SQSRecord, batch: Batch) -> int:
        facts: dict[str, object] = {"message_id": record.message_id}
        try:
            reference = self.parse(record.body)
            facts |= reference.ids
            with traced(self.logger.service, [reference.ids]):
                done = self.process(service, reference)
        except Exception as err:
            self.logger.exception("reference failed", extra=facts)
            batch.reasons[record.message_id] = err
            raise
        facts |= {"events": done.events, **done.facts}
        self.logger.info("reference done", extra=facts)
        return done.events
