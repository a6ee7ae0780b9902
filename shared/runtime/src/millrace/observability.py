"""Logs and metrics: one place that knows Powertools, one catalogue of metric names.

Powertools writes metrics as CloudWatch EMF log lines, so a metric costs no call:
https://docs.aws.amazon.com/powertools/python/latest/core/metrics/
"""

import os
from enum import StrEnum

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric

# Powertools' own variable: each stack of an account has a namespace to itself.
NAMESPACE = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Millrace")


class MetricName(StrEnum):
    """Every metric that a service emits."""

    RECEIVED = "RecordsReceived"
    ACCEPTED = "EventsAccepted"
    DUPLICATES = "EventsDuplicate"
    CONFLICTS = "EventsConflicting"
    QUARANTINED = "RecordsQuarantined"
    LATE = "EventsLate"
    LAG_P50 = "LagP50"
    LAG_P99 = "LagP99"
    RAW_BYTES = "RawBytes"
    RECORDS_SUCCEEDED = "RecordsSucceeded"
    RECORDS_FAILED = "RecordsFailed"
    DIVERSION_GUARD = "BatchesMostlyRejected"
    MAX_MEMORY = "MaxMemory"
    ENRICHED = "EventsEnriched"
    ENTITIES_UNASSIGNED = "EntitiesUnassigned"
    ASSIGNMENTS_MALFORMED = "AssignmentsMalformed"
    EXPERIMENTS_UNKNOWN = "ExperimentsUnknown"
    BEFORE_ASSIGNMENT = "EventsBeforeAssignment"
    REPLAY_ENRICHED = "ReplayedEventsEnriched"
    REPLAY_SKIPPED = "ReplayedEventsSkipped"
    REPLAY_CANCELLED = "ReplayMessagesCancelled"
    AGGREGATED = "EventsAggregated"
    REPLAY_AGGREGATED = "ReplayedEventsAggregated"
    PROCESSOR_MESSAGES = "ProcessorMessageCount"
    PROCESSOR_ERRORS = "ProcessorErrorCount"
    MALFORMED_EVENTS = "EnrichedRowsMalformed"
    OBJECTS_MISSING = "EnrichedObjectsMissing"
    ARCHIVED = "EventsArchived"
    ARCHIVE_OBJECTS = "ArchiveObjects"
    UPLOADS_SUCCEEDED = "UploadsSucceeded"
    UPLOADS_FAILED = "UploadsFailed"
    EXPORTED = "EventsExported"
    EXPORT_FILES = "ExportFiles"
    HOURS_EXPORTED = "HoursExported"
    HOURS_FAILED = "HoursFailed"
    HOURS_COMPLETE = "HoursComplete"
    HOURS_PROVISIONAL = "HoursProvisional"
    HOURS_NOT_EXPORTED = "HoursNotExported"
    OVERDUE_SENT = "OverdueReferencesSent"
    RESIDUE = "UnfinishedCommits"
    OLDEST_UNFINISHED_AGE = "OldestUnfinishedCommitAge"
    STALEST_SHARD_AGE = "StalestShardAge"
    DISCARDED = "DiscardedBatches"
    DISCARDED_OPEN = "DiscardedBatchesOpen"
    OLDEST_DISCARDED_AGE = "OldestDiscardedBatchAge"
    API_REQUESTS = "ApiRequests"
    API_REFUSED = "ApiRequestsRefused"
    API_QUEUED = "ApiEventsQueued"
    API_NOT_QUEUED = "ApiEventsNotQueued"
    API_RETRIED = "ApiRecordsRetried"
    API_DURATION = "ApiRequestDuration"
    API_ERRORS = "IngestApiErrors"
    BATCH_DURATION = "BatchDuration"
    EVENTS_PER_SECOND = "EventsPerSecond"
    REFERENCES_SUCCEEDED = "ReferencesSucceeded"
    REFERENCES_FAILED = "ReferencesFailed"
    INGEST_ERRORS = "IngestErrors"
    ENRICH_ERRORS = "EnrichErrors"
    AGGREGATE_ERRORS = "AggregateErrors"
    ARCHIVE_ERRORS = "ArchiveErrors"
    WATCH_ERRORS = "WatchErrors"
    REPLAY_SENT = "ReplayMessagesSent"
    REPLAYS_COMPLETED = "ReplaysCompleted"
    REPLAYS_FAILED = "ReplaysFailed"
    REPLAY_ERRORS = "ReplayErrors"
    REPLAY_API_ERRORS = "ReplayApiErrors"
    OPERATOR_API_ERRORS = "OperatorApiErrors"
    INVESTIGATE_ERRORS = "InvestigateErrors"
    EXPORT_ERRORS = "ExportErrors"


_UNITS = {
    MetricName.RAW_BYTES: MetricUnit.Bytes,
    MetricName.LAG_P50: MetricUnit.Milliseconds,
    MetricName.LAG_P99: MetricUnit.Milliseconds,
    MetricName.MAX_MEMORY: MetricUnit.Megabytes,
    MetricName.API_DURATION: MetricUnit.Milliseconds,
    MetricName.BATCH_DURATION: MetricUnit.Milliseconds,
    MetricName.EVENTS_PER_SECOND: MetricUnit.CountPerSecond,
    MetricName.OLDEST_UNFINISHED_AGE: MetricUnit.Seconds,
    MetricName.STALEST_SHARD_AGE: MetricUnit.Seconds,
    MetricName.OLDEST_DISCARDED_AGE: MetricUnit.Seconds,
}


def service_logger(service: str, level: str = "INFO") -> Logger:
    """Return the structured logger of a service; facts go in as keys, payloads never."""
    return Logger(service=service, level=level, utc=True)


def service_metrics(service: str) -> Metrics:
    """Return the metric sink of a service, with the dimension `service`."""
    return Metrics(namespace=NAMESPACE, service=service)


def count(metrics: Metrics, name: MetricName, value: float) -> None:
    """Add `value` to a metric of the catalogue in its unit."""
    metrics.add_metric(name=name.value, unit=_UNITS.get(name, MetricUnit.Count), value=value)


def count_by_reason(name: MetricName, service: str, reason: str, value: float) -> None:
    """Emit a metric of its own with the dimension `reason` beside `service`."""
    with single_metric(
        namespace=NAMESPACE,
        name=name.value,
        unit=_UNITS.get(name, MetricUnit.Count),
        value=value,
        default_dimensions={"service": service},
    ) as metric:
        metric.add_dimension(name="reason", value=reason)
