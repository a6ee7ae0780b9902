"""Lambda's entry: an HTTP API request (payload format 2.0) in, its response out.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
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
from millrace.http_api import Event, response_of_text
from millrace.http_front import HttpFront, route_of
from millrace.observability import MetricName, service_logger, service_metrics
from millrace.problems import refused_field
from millrace.settings import load_settings
from millrace.tracing import traced

SERVICE = "investigate"
MAX_ANSWER_BYTES = 5_500_000
"""Lambda returns 6 MB at most, with what it wraps around the body."""
_MAX_ID_CHARACTERS = 128
_RESERVE_S = 8  # the page that is being read when the time is over, and the answer

logger = service_logger(SERVICE)
metrics = service_metrics(SERVICE)
_FRONT = HttpFront(PROBLEMS, MetricName.INVESTIGATE_ERRORS, _RESERVE_S, logger, metrics)


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
    request_id = event["requestContext"]["requestId"]

    def answer(within_s: float) -> dict[str, Any]:
        return response_of_text(HTTPStatus.OK, _answered(event, desk, within_s), {})

    with traced(SERVICE, [{"request_id": request_id, "route": event["routeKey"]}]) as failed:
        response = _FRONT.respond(event, context, answer)
        failed.update({0} if response["statusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR else ())
    return response


def _answered(event: Event, desk: Desk, within_s: float) -> str:
    serve = route_of(ROUTES, event, RefusalKind.NOT_FOUND)
    told = desk.answer(lambda: serve(event, desk, within_s))
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
