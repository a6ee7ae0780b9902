"""Lambda's entry: SQS messages in, the ids of those to redeliver out."""

from enrich.bootstrap import build_enrich
from enrich.service import Enrich
from enrich.settings import EnrichSettings
from millrace.batch import BatchHandler, BatchNames, building
from millrace.consumer import Done, ReferenceConsumer
from millrace.observability import MetricName, service_logger, service_metrics
from millrace.reference import Reference

logger = service_logger("enrich")
metrics = service_metrics("enrich")


def _enrich(service: Enrich, reference: Reference) -> Done:
    done = service.enrich(reference)
    facts = {
        "already_marked": done.already_marked,
        "entities_unassigned": done.gaps.entities_unassigned,
        "assignments_malformed": done.gaps.assignments_malformed,
    }
    return Done(done.events, facts)


handler = BatchHandler(
    logger,
    metrics,
    BatchNames(MetricName.ENRICH_ERRORS, events=MetricName.ENRICHED),
    building(logger, EnrichSettings, build_enrich),
    ReferenceConsumer(logger, Reference.parse, _enrich),
)
