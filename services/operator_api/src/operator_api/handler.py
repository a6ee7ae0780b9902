"""Lambda's entry: an HTTP API request (payload format 2.0) in, its response out."""

from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace.http_api import Event, response_of
from millrace.http_front import HttpFront, readable_body_of, route_of, signer_of
from millrace.observability import MetricName, service_logger, service_metrics
from millrace.settings import load_settings
from operator_api.answers import LookAnswer, QueueAnswer, QueueList, RedriveAnswer
from operator_api.bootstrap import build_desk
from operator_api.domain.refusals import RefusalKind
from operator_api.problems import PROBLEMS
from operator_api.requests import parse_look, parse_redrive
from operator_api.service import Desk
from operator_api.settings import OperatorApiSettings

SERVICE = "operator_api"
_RESERVE_S = 5  # a round that has begun, giving back, the audit and the answer

logger = service_logger(SERVICE)
metrics = service_metrics(SERVICE)
_FRONT = HttpFront(PROBLEMS, MetricName.OPERATOR_API_ERRORS, _RESERVE_S, logger, metrics)


@cache
def _desk() -> Desk:
    settings = load_settings(OperatorApiSettings)
    logger.setLevel(settings.log_level)
    return build_desk(settings)


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
@metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: Event, context: LambdaContext) -> dict[str, Any]:
    """Return the response: what was asked for, or problem details."""
    return handle(event, context, _desk())


def handle(event: Event, context: LambdaContext, desk: Desk) -> dict[str, Any]:
    """Translate between API Gateway's shapes and the service."""

    def answer(within_s: float) -> dict[str, Any]:
        serve = route_of(_ROUTES, event, RefusalKind.NOT_FOUND)
        return response_of(HTTPStatus.OK, serve(event, desk, within_s), {})

    return _FRONT.respond(event, context, answer)


def _list(_event: Event, desk: Desk, _within_s: float) -> BaseModel:
    depths = desk.depths().items()
    return QueueList(queues=tuple(QueueAnswer.of(name, depth) for name, depth in depths))


def _look(event: Event, desk: Desk, _within_s: float) -> BaseModel:
    query = parse_look(event.get("queryStringParameters") or {})
    queue = _queue(event)
    return LookAnswer.of_look(queue, desk.look(queue, query), query.limit)


def _redrive(event: Event, desk: Desk, within_s: float) -> BaseModel:
    request = parse_redrive(readable_body_of(event, RefusalKind.UNREADABLE))
    queue, who = _queue(event), signer_of(event, RefusalKind.UNIDENTIFIED)
    if request.dry_run:
        return RedriveAnswer.of_dry_run(queue, desk.would_redrive(queue, request))
    done, remaining = desk.redrive(queue, request, who, within_s)
    facts = {"queue": queue, "sent": done.sent, "left": done.left, "remaining": remaining}
    logger.info("dead letters redriven", extra=facts)
    return RedriveAnswer.of(queue, done, remaining)


_ROUTES: Mapping[str, Callable[[Event, Desk, float], BaseModel]] = {
    "GET /dlq": _list,
    "GET /dlq/{queue}": _look,
    "POST /dlq/{queue}/redrive": _redrive,
}


def _queue(event: Event) -> str:
    return str(event["pathParameters"]["queue"])
