"""Lambda's entry: SQS messages in, the ids of those to redeliver out."""

from dataclasses import asdict

from enrich.bootstrap import build_enrich
from enrich.service import Enrich
from enrich.settings import EnrichSettings
from millrace.batch import BatchHandler, BatchNames, building
from millrace.consumer import Done, ReferenceConsumer
from millrace.observability import MetricName, count, service_logger, service_metrics
from millrace.reference import Reference

logger = service_logger("enrich")
metrics = service_metrics("enrich")


def _enrich(service: Enrich, reference: Reference) -> Done:
    done = service.enrich(reference)
    for name, number in (
        (MetricName.ENTITIES_UNASSIGNED, done.gaps.entities_unassigned),
        (MetricName.ASSIGNMENTS_MALFORMED, done.gaps.assignments_malformed),
        (MetricName.EXPERIMENTS_UNKNOWN, done.gaps.experiments_unknown),
        (MetricName.BEFORE_ASSIGNMENT, done.gaps.events_before_assignment),
    ):
        count(metrics, name, number)
    return Done(done.events, {"already_marked": done.already_marked} | asdict(done.gaps))


handler = BatchHandler(
    logger,
    metrics,
    BatchNames(MetricName.ENRICH_ERRORS, events=MetricName.ENRICHED),
    building(logger, EnrichSettings, build_enrich),
    ReferenceConsumer(logger, Reference.parse, _enrich),
)
