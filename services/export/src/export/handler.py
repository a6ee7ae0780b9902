"""Lambda's entry: five past each hour, the hours that changed; by hand, the hours asked for.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
"""

from collections.abc import Mapping
from functools import cache
from time import perf_counter
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from export.bootstrap import build_export
from export.domain.files import Status
from export.hours import HourlyExport, Report
from export.request import Request, parse_request
from export.settings import ExportSettings
from millrace.errors import MillraceError
from millrace.observability import MetricName, count, service_logger, service_metrics
from millrace.settings import load_settings

SERVICE = "export"

logger = service_logger(SERVICE)
metrics = service_metrics(SERVICE)


@cache  # keeps no exception: a cold start that failed is tried again by the next invocation
def _settings() -> ExportSettings:
    settings = load_settings(ExportSettings)
    logger.setLevel(settings.log_level)
    return settings


@cache
def _service() -> HourlyExport:
    return build_export(_settings(), logger)


@logger.inject_lambda_context
@metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return what was done, for whoever invokes by hand; the schedule ignores it.

    Raises:
        BadRequest: the event is neither of a schedule nor a request for hours.
        ConfigError: the function's environment is incomplete.
    """
    try:
        request = parse_request(event)
        return handle(request, context, _service(), _settings().export_reserve_s)
    except MillraceError:
        count(metrics, MetricName.EXPORT_ERRORS, 1)
        logger.exception("export failed")
        raise


def handle(
    request: Request, context: LambdaContext, service: HourlyExport, reserve_s: int
) -> dict[str, Any]:
    """Translate between Lambda's shapes and the service."""
    started = perf_counter()

    def has_time() -> bool:
        return bool(context.get_remaining_time_in_millis() > reserve_s * 1000)

    if request.hours is None:
        report = service.changed(has_time)
    else:
        report = service.asked(request.hours, request.client_id, has_time)
    _measure(report, perf_counter() - started)
    return _answer(report)


def _measure(report: Report, duration_s: float) -> None:
    events = sum(outcome.events for outcome in report.outcomes)
    files = sum(len(outcome.written) for outcome in report.outcomes)
    complete = sum(outcome.status is Status.COMPLETE for outcome in report.outcomes)
    count(metrics, MetricName.EXPORTED, events)
    count(metrics, MetricName.EXPORT_FILES, files)
    count(metrics, MetricName.UPLOADS_SUCCEEDED, files)
    count(metrics, MetricName.UPLOADS_FAILED, report.failed_uploads)
    count(metrics, MetricName.HOURS_COMPLETE, complete)
    count(metrics, MetricName.HOURS_PROVISIONAL, len(report.outcomes) - complete)
    count(metrics, MetricName.EXPORT_ERRORS, len(report.failed))
    count(metrics, MetricName.BATCH_DURATION, duration_s * 1000)
    if events:
        count(metrics, MetricName.EVENTS_PER_SECOND, events / duration_s)


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
                "events": outcome.events,
            }
            for outcome in report.outcomes
        ],
        "failed": [{"hour": each.hour, "error": each.error} for each in report.failed],
        "hours_left": report.hours_left,
    }
