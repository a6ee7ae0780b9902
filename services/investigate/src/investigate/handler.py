"""Lambda's entry: an HTTP API request (payload format 2.0) in, its response out.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from time import perf_counter
from typing import Any

import orjson
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from investigate.bootstrap import build_desk
from investigate.domain.paths import EntityView, entity_path, id_of
from investigate.domain.refusals import RefusalKind
from investigate.problems import PROBLEMS
from investigate.requests import (
    AggregatesQuery,
    ArrivalQuery,
    EntityEventsQuery,
    EventQuery,
    GapsQuery,
    LagQuery,
    ListedQuery,
    StatusQuery,
    parse_query,
)
from investigate.service import Desk, Told
from investigate.settings import InvestigateSettings
from millrace.errors import MillraceError, RetryableError
from millrace.http_api import Event, response_of, response_of_text
from millrace.observability import MetricName, count, service_logger, service_metrics
from millrace.problems import Problem, Refusal, refused_field
from millrace.settings import load_settings
from millrace.tracing import traced

SERVICE = "investigate"
MAX_ANSWER_BYTES = 5_500_000
"""Lambda returns 6 MB at most, with what it wraps around the body."""
_MAX_ID_CHARACTERS = 128
_RESERVE_S = 8  # the page that is being read when the time is over, and the answer
_RETRY_AFTER_S = 1

logger = service_logger(SERVICE)
metrics = service_metrics(SERVICE)


@cache
def _desk() -> Desk:
    settings = load_settings(InvestigateSettings)
    logger.setLevel(settings.log_level)
    return build_desk(settings)


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
@metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: Event, context: LambdaContext) -> dict[str, Any]:
    """Return the response: what was asked for, or problem details."""
    return handle(event, context, _desk())


def handle(event: Event, context: LambdaContext, desk: Desk) -> dict[str, Any]:
    """Translate between API Gateway's shapes and the service."""
    started = perf_counter()
    request_id = event["requestContext"]["requestId"]
    within_s = max(0.0, context.get_remaining_time_in_millis() / 1000 - _RESERVE_S)
    with traced(SERVICE, [{"request_id": request_id, "route": event["routeKey"]}]) as failed:
        try:
            response = response_of_text(HTTPStatus.OK, _answered(event, desk, within_s), {})
        except MillraceError as err:
            problem, headers = _problem(err, request_id)
            failed.update({0} if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR else ())
            response = response_of(problem.status, problem, headers)
    count(metrics, MetricName.API_REQUESTS, 1)
    count(metrics, MetricName.API_DURATION, (perf_counter() - started) * 1000)
    return response


def _problem(err: MillraceError, request_id: str) -> tuple[Problem, dict[str, str]]:
    """Return what a client is told of an error, and headers; log and count it."""
    if isinstance(err, Refusal):
        fields = [fault.field for fault in err.faults]
        logger.warning("request refused", extra={"kind": err.kind, "fields": fields})
        count(metrics, MetricName.API_REFUSED, 1)
        return PROBLEMS.of_refusal(err, request_id), {}
    count(metrics, MetricName.INVESTIGATE_ERRORS, 1)
    if isinstance(err, RetryableError):
        logger.error("request not carried out", exc_info=err)
        return PROBLEMS.of_unavailability(request_id), {"retry-after": str(_RETRY_AFTER_S)}
    # A missing right or resource, or tables that disagree.
    logger.error("request cannot be carried out", exc_info=err)
    return PROBLEMS.of_fault(request_id), {}


def _answered(event: Event, desk: Desk, within_s: float) -> str:
    route = event["routeKey"]
    if route not in ROUTES:
        raise refused_field(RefusalKind.NOT_FOUND, "path", f"{route!r} is no route of this API")
    told = desk.answer(lambda: ROUTES[route](event, desk, within_s))
    body = orjson.dumps(told)
    if len(body) > MAX_ANSWER_BYTES:
        raise refused_field(
            RefusalKind.ANSWER_TOO_LARGE,
            "max_pages",
            f"the answer has {len(body):,} bytes, and {MAX_ANSWER_BYTES:,} fit into a response; "
            "read fewer pages and go on from the cursor, or ask about less",
        )
    return body.decode()


def _event(event: Event, desk: Desk, within_s: float) -> Told:
    event_id = id_of(event["pathParameters"]["id"], _MAX_ID_CHARACTERS)
    return desk.event(event_id, parse_query(EventQuery, _query(event)), within_s)


def _entity(event: Event, desk: Desk, within_s: float) -> Told:
    entity_id, view = entity_path(event["pathParameters"]["path"])
    if view is EntityView.EVENTS:
        return desk.events(entity_id, parse_query(EntityEventsQuery, _query(event)), within_s)
    return desk.silences(entity_id, parse_query(GapsQuery, _query(event)), within_s)


def _lag(event: Event, desk: Desk, within_s: float) -> Told:
    return desk.lag(parse_query(LagQuery, _query(event)), within_s)


def _duplicates(event: Event, desk: Desk, within_s: float) -> Told:
    return desk.repeated(parse_query(ListedQuery, _query(event)), within_s)


def _late(event: Event, desk: Desk, within_s: float) -> Told:
    return desk.behind(parse_query(ListedQuery, _query(event)), within_s)


def _sources(event: Event, desk: Desk, within_s: float) -> Told:
    return desk.ranked(parse_query(ArrivalQuery, _query(event)), within_s)


def _aggregates(event: Event, desk: Desk, within_s: float) -> Told:
    return desk.rows(parse_query(AggregatesQuery, _query(event)), within_s)


def _status(event: Event, desk: Desk, within_s: float) -> Told:
    return desk.status(parse_query(StatusQuery, _query(event)), within_s)


ROUTES: Mapping[str, Callable[[Event, Desk, float], Told]] = {
    "GET /events/{id+}": _event,
    "GET /entities/{path+}": _entity,
    "GET /lag": _lag,
    "GET /duplicates": _duplicates,
    "GET /late": _late,
    "GET /sources": _sources,
    "GET /aggregates": _aggregates,
    "GET /status": _status,
}


def _query(event: Event) -> Mapping[str, str]:
    return event.get("queryStringParameters") or {}
