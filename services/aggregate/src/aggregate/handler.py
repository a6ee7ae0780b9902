"""Lambda's entry: SQS messages in, the ids of those to redeliver out."""

from aggregate.bootstrap import build_aggregate
from aggregate.service import Aggregate
from aggregate.settings import AggregateSettings
from millrace.batch import BatchHandler, BatchNames, building
from millrace.consumer import Done, ReferenceConsumer
from millrace.observability import MetricName, service_logger, service_metrics
from millrace.reference import EnrichedReference

logger = service_logger("aggregate")
metrics = service_metrics("aggregate")


def _aggregate(service: Aggregate, reference: EnrichedReference) -> Done:
    done = service.aggregate(reference)
    facts = {
        "counters": done.counters,
        "parts": done.parts,
        "parts_done_before": done.parts_done_before,
        "unusable_amounts": done.unusable_amounts,
        "already_marked": done.already_marked,
    }
    return Done(done.events, facts)


handler = BatchHandler(
    logger,
    metrics,
    BatchNames(MetricName.AGGREGATE_ERRORS, events=MetricName.AGGREGATED),
    building(logger, AggregateSettings, build_aggregate),
    ReferenceConsumer(logger, EnrichedReference.parse, _aggregate),
)
