"""Lambda's entry: five past each hour, the hours that changed; by hand, the hours asked for.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
"""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from export.bootstrap import build_export
from export.domain.files import Status
from export.hours import HourlyExport, Report
from export.request import parse_request
from export.settings import ExportSettings
from millrace.batch import Batch, BatchHandler, BatchNames, building
from millrace.observability import MetricName, count, service_logger, service_metrics

logger = service_logger("export")
metrics = service_metrics("export")


def _export(
    service: HourlyExport, event: Mapping[str, Any], context: LambdaContext, batch: Batch
) -> dict[str, Any]:
    """Return what was done, for whoever invokes by hand; the schedule ignores it.

    Raises:
        BadRequest: the event is neither of a schedule nor a request for hours.
    """
    request = parse_request(event)

    def has_time() -> bool:
        return bool(context.get_remaining_time_in_millis() > service.reserve_s * 1000)

    if request.hours is None:
        report = service.changed(has_time)
        count(metrics, MetricName.HOURS_NOT_EXPORTED, report.not_exported)
    else:
        report = service.asked(request.hours, request.client_id, has_time)
    _measure(report, batch)
    return _answer(report)


def _measure(report: Report, batch: Batch) -> None:
    files = sum(len(outcome.written) for outcome in report.outcomes)
    complete = sum(outcome.status is Status.COMPLETE for outcome in report.outcomes)
    count(metrics, MetricName.EXPORT_FILES, files)
    count(metrics, MetricName.UPLOADS_SUCCEEDED, files)
    count(metrics, MetricName.UPLOADS_FAILED, report.failed_uploads)
    count(metrics, MetricName.HOURS_COMPLETE, complete)
    count(metrics, MetricName.HOURS_PROVISIONAL, len(report.outcomes) - complete)
    failed = {each.hour for each in report.failed}
    batch.delivered = len(failed | {outcome.hour for outcome in report.outcomes})
    batch.failed = len(failed)
    batch.events = sum(outcome.events for outcome in report.outcomes)


def _answer(report: Report) -> dict[str, Any]:
    return {
        "done": report.done,
        "hours": [
            {
                "hour": outcome.hour,
                "status": outcome.status.value,
                "clients": outcome.clients,
                "files_written": len(outcome.written),
                "manifests_written": len(outcome.relabelled),
                "clients_left": outcome.left,
                "clients_failed": len(outcome.failed),
                "events": outcome.events,
            }
            for outcome in report.outcomes
        ],
        "failed": [{"hour": each.hour, "error": each.error} for each in report.failed],
        "hours_left": report.hours_left,
    }


handler = BatchHandler(
    logger,
    metrics,
    BatchNames(
        MetricName.EXPORT_ERRORS,
        succeeded=MetricName.HOURS_EXPORTED,
        failed=MetricName.HOURS_FAILED,
        events=MetricName.EXPORTED,
    ),
    building(logger, ExportSettings, build_export),
    _export,
)
