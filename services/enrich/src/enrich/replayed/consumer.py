"""SQS messages of the replay queue in, the ids of those to redeliver out; logs and metrics."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from enrich.replayed.service import EnrichReplayed, Outcome
from millrace.batch import Batch
from millrace.observability import MetricName, count


@dataclass(frozen=True, slots=True)
class ReplayConsumer:
    """The work of a batch from the replay queue: all of its messages at once."""

    logger: Logger
    metrics: Metrics

    def __call__(
        self, service: EnrichReplayed, event: Mapping[str, Any], batch: Batch
    ) -> dict[str, Any]:
        """Return `{"batchItemFailures": [...]}`.

        Partial answers name messages, so that SQS redelivers those alone:
        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
        """
        bodies = {record["messageId"]: record["body"] for record in event["Records"]}
        outcome = service.enrich(bodies)
        self._log(bodies, outcome)
        self._count(len(bodies), outcome)
        # Messages of single events are not references: the figures of live batches stay as they
        # are, but for errors, on which there is an alarm.
        batch.delivered, batch.failed, batch.errors = 0, 0, len(outcome.failed)
        batch.reasons |= outcome.failed
        return {"batchItemFailures": [{"itemIdentifier": each} for each in outcome.failed]}

    def _log(self, bodies: Mapping[str, str], outcome: Outcome) -> None:
        for skip in outcome.skips:
            facts = {
                "message_id": skip.message_id,
                "replay_id": skip.replay_id,
                "place": skip.place,
                "event_id": skip.event_id,
                "reason": skip.reason.value,
                "detail": skip.detail,
            }
            self.logger.warning("replayed event skipped", extra=facts)
        for err in dict.fromkeys(outcome.failed.values()):  # one failure may fail many messages
            message_ids = [each for each, why in outcome.failed.items() if why is err]
            self.logger.error(
                "replay messages failed", extra={"message_ids": message_ids}, exc_info=err
            )
        done = {
            "messages": len(bodies),
            "events": outcome.events,
            "objects": outcome.objects,
            "dry_run_events": outcome.dry_events,
            "skipped": len(outcome.skips),
            "cancelled": outcome.cancelled,
            "failed": len(outcome.failed),
        }
        self.logger.info("replay batch done", extra=done)

    def _count(self, delivered: int, outcome: Outcome) -> None:
        for name, number in (
            (MetricName.REPLAY_ENRICHED, outcome.events),
            (MetricName.REPLAY_SKIPPED, len(outcome.skips)),
            (MetricName.REPLAY_CANCELLED, outcome.cancelled),
            (MetricName.PROCESSOR_MESSAGES, delivered),
            (MetricName.PROCESSOR_ERRORS, len(outcome.failed) + len(outcome.skips)),
        ):
            count(self.metrics, name, number)
