"""Lambda's entry: SQS messages in, the ids of those to redeliver out."""

from archive.bootstrap import build_archive
from archive.service import Archive, UploadFailed
from archive.settings import ArchiveSettings
from millrace.aws.dead_letters import dynamo_notes
from millrace.batch import BatchHandler, BatchNames, building, noting
from millrace.consumer import Done, ReferenceConsumer
from millrace.observability import MetricName, count, service_logger, service_metrics
from millrace.reference import EnrichedReference

logger = service_logger("archive")
metrics = service_metrics("archive")


def _archive(service: Archive, reference: EnrichedReference) -> Done:
    try:
        done = service.archive(reference)
    except UploadFailed:
        count(metrics, MetricName.UPLOADS_FAILED, 1)
        raise
    count(metrics, MetricName.UPLOADS_SUCCEEDED, done.objects)
    count(metrics, MetricName.ARCHIVE_OBJECTS, done.objects)
    return Done(done.events, {"objects": done.objects, "already_marked": done.already_marked})


handler = BatchHandler(
    logger,
    metrics,
    BatchNames(MetricName.ARCHIVE_ERRORS, events=MetricName.ARCHIVED),
    building(logger, ArchiveSettings, build_archive),
    ReferenceConsumer(logger, EnrichedReference.parse, _archive),
    notes=noting(ArchiveSettings, dynamo_notes),
)
