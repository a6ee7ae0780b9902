"""Lambda's entry: an HTTP API request (payload format 2.0) in, its response out."""

from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from time import perf_counter
from typing import Any

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace.errors import MillraceError, RetryableError
from millrace.http_api import Event, UnreadableBody, body_of, caller_of, response_of
from millrace.observability import MetricName, count, service_logger, service_metrics
from millrace.problems import Refusal, refused_field
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
_RETRY_AFTER_S = 1

logger = service_logger(SERVICE)
metrics = service_metrics(SERVICE)


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
    started = perf_counter()
    request_id = event["requestContext"]["requestId"]
    within_s = max(0.0, context.get_remaining_time_in_millis() / 1000 - _RESERVE_S)
    headers: dict[str, str] = {}
    body: BaseModel
    try:
        status, body = int(HTTPStatus.OK), _answered(event, desk, within_s)
    except Refusal as refusal:
        fields = [fault.field for fault in refusal.faults]
        logger.warning("request refused", extra={"kind": refusal.kind, "fields": fields})
        count(metrics, MetricName.API_REFUSED, 1)
        body = problem = PROBLEMS.of_refusal(refusal, request_id)
        status = problem.status
    except RetryableError:
        logger.exception("request not carried out")
        count(metrics, MetricName.OPERATOR_API_ERRORS, 1)
        body = problem = PROBLEMS.of_unavailability(request_id)
        status, headers = problem.status, {"retry-after": str(_RETRY_AFTER_S)}
    except MillraceError:  # a missing right or resource
        logger.exception("request cannot be carried out")
        count(metrics, MetricName.OPERATOR_API_ERRORS, 1)
        body = problem = PROBLEMS.of_fault(request_id)
        status = problem.status
    count(metrics, MetricName.API_REQUESTS, 1)
    count(metrics, MetricName.API_DURATION, (perf_counter() - started) * 1000)
    return response_of(status, body, headers)


def _answered(event: Event, desk: Desk, within_s: float) -> BaseModel:
    route = event["routeKey"]
    if route not in _ROUTES:
        raise refused_field(RefusalKind.NOT_FOUND, "path", f"{route!r} is no route of this API")
    return _ROUTES[route](event, desk, within_s)


def _list(_event: Event, desk: Desk, _within_s: float) -> BaseModel:
    depths = desk.depths().items()
    return QueueList(queues=tuple(QueueAnswer.of(name, depth) for name, depth in depths))


def _look(event: Event, desk: Desk, _within_s: float) -> BaseModel:
    query = parse_look(event.get("queryStringParameters") or {})
    queue = _queue(event)
    return LookAnswer.of_look(queue, desk.look(queue, query), query.limit)


def _redrive(event: Event, desk: Desk, within_s: float) -> BaseModel:
    request, queue, who = parse_redrive(_body(event)), _queue(event), _caller(event)
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


def _caller(event: Event) -> str:
    who = caller_of(event)
    if who is None:
        raise Refusal(RefusalKind.UNIDENTIFIED, "who asks is unknown; sign the request (SigV4)")
    return who


def _body(event: Event) -> bytes:
    try:
        return body_of(event)
    except UnreadableBody as err:
        raise Refusal(RefusalKind.UNREADABLE, f"the body cannot be read: {err}") from err
