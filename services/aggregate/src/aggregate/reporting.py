"""What became of the messages of a batch: logs, metrics and the answer to SQS."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from aggregate.loading import AnyReference
from aggregate.service import Aggregated, Outcome
from millrace.batch import Batch
from millrace.errors import ObjectMissing
from millrace.observability import MetricName, count
from millrace.reference import EnrichedReference, MalformedReference
from millrace.replay.reference import ReplayReference, is_replayed

DRY_RUN_COUNTS = ("events", "malformed_events", "counters", "unique_entities", "unusable_amounts")


def parse_reference(body: str) -> AnyReference:
    """Return the reference to an enriched object in a message body, live or replayed.

    Raises:
        MalformedReference: there is none.
    """
    return ReplayReference.parse(body) if is_replayed(body) else EnrichedReference.parse(body)


@dataclass(slots=True)
class Report:
    """One batch. Every message is logged with its ids, never with what its events hold."""

    logger: Logger
    metrics: Metrics
    batch: Batch
    _failed: list[str] = field(default_factory=list)
    _dry_run: Counter[str] = field(default_factory=Counter)
    _counts: Counter[MetricName] = field(default_factory=Counter)

    def references_in(self, event: Mapping[str, Any]) -> dict[str, AnyReference]:
        """Return the references of the event's messages by message id; note those that hold none.

        Partial answers name messages, so that SQS redelivers those alone:
        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
        """
        references: dict[str, AnyReference] = {}
        for record in event["Records"]:
            message_id = record["messageId"]
            try:
                references[message_id] = parse_reference(record["body"])
            except MalformedReference as err:
                self._fail(err, {"message_id": message_id})
        return references

    def note(
        self, message_id: str, reference: AnyReference, outcome: Outcome, *, dry_run: bool
    ) -> None:
        """Log and count what became of one message; `dry_run` is the deployment's setting."""
        facts: dict[str, object] = {"message_id": message_id, **reference.ids}
        if isinstance(outcome, Exception):
            self._fail(outcome, facts)
            return
        facts |= asdict(outcome)
        if outcome.malformed_events:
            self.logger.error("malformed rows skipped", extra=facts)
        if outcome.dry_run:
            self._dry_run.update({name: facts[name] for name in DRY_RUN_COUNTS})
            self._dry_run["references"] += 1
            self.logger.info("dry run: nothing written", extra=facts)
            return
        if dry_run:
            # A dry run would take the message from its queue, and nothing would ever count it.
            self.logger.warning("live reference processed in spite of the dry run", extra=facts)
        self.logger.info("reference done", extra=facts)
        self._count(reference, outcome)

    def answer(self) -> dict[str, Any]:
        """Emit what only aggregate counts; return what SQS and a dry run's caller are told."""
        self.batch.failed = len(self._failed)
        errors = len(self._failed) + self._counts[MetricName.MALFORMED_EVENTS]
        self._counts[MetricName.PROCESSOR_MESSAGES] = self.batch.delivered
        self._counts[MetricName.PROCESSOR_ERRORS] = errors
        for name, value in self._counts.items():
            count(self.metrics, name, value)
        failures = [{"itemIdentifier": message_id} for message_id in self._failed]
        answer: dict[str, Any] = {"batchItemFailures": failures}
        return answer | ({"dry_run": dict(self._dry_run)} if self._dry_run else {})

    def _count(self, reference: AnyReference, outcome: Aggregated) -> None:
        if isinstance(reference, EnrichedReference):
            self.batch.events += outcome.events
        else:
            self._counts[MetricName.REPLAY_AGGREGATED] += outcome.events
        self._counts[MetricName.MALFORMED_EVENTS] += outcome.malformed_events

    def _fail(self, err: Exception, facts: Mapping[str, object]) -> None:
        if isinstance(err, ObjectMissing):
            self._counts[MetricName.OBJECTS_MISSING] += 1
            self.logger.error("enriched object missing", extra={**facts, "key": err.key})
        self.logger.error("reference failed", extra=dict(facts), exc_info=err)
        message_id = str(facts["message_id"])
        self._failed.append(message_id)
        self.batch.reasons[message_id] = err
