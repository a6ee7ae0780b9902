"""Lambda's entry: an HTTP API request (payload format 2.0) in, its response out.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from time import perf_counter
from typing import Any
from urllib.parse import quote

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace.errors import MillraceError, RetryableError
from millrace.http_api import Event, UnreadableBody, body_of, caller_of, response_of
from millrace.observability import MetricName, count, service_logger, service_metrics
from millrace.problems import Refusal, refused_field
from millrace.replay.record import Action
from millrace.settings import load_settings
from replay_api.answers import PlanSummary, ReplayAnswer, ReplayList, Started, StatusAnswer
from replay_api.bootstrap import build_desk
from replay_api.domain.cursors import cursor_of, parse_cursor
from replay_api.domain.refusals import RefusalKind
from replay_api.problems import PROBLEMS
from replay_api.requests import parse_move, parse_replay
from replay_api.service import ReplayDesk
from replay_api.settings import ReplayApiSettings

SERVICE = "replay_api"
DEFAULT_PAGE = 25
MAX_PAGE = 100
_RESERVE_S = 8  # the last chunk's write, the plan's, the start of the replay, and the answer
_RETRY_AFTER_S = 1

logger = service_logger(SERVICE)
metrics = service_metrics(SERVICE)

Answer = tuple[int, BaseModel, dict[str, str]]


@cache
def _desk() -> ReplayDesk:
    settings = load_settings(ReplayApiSettings)
    logger.setLevel(settings.log_level)
    return build_desk(settings)


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
@metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: Event, context: LambdaContext) -> dict[str, Any]:
    """Return the response: what was asked for, or problem details."""
    return handle(event, context, _desk())


def handle(event: Event, context: LambdaContext, desk: ReplayDesk) -> dict[str, Any]:
    """Translate between API Gateway's shapes and the service."""
    started = perf_counter()
    request_id = event["requestContext"]["requestId"]
    within_s = max(0.0, context.get_remaining_time_in_millis() / 1000 - _RESERVE_S)
    try:
        status, body, headers = _answered(event, desk, within_s)
    except Refusal as refusal:
        problem = PROBLEMS.of_refusal(refusal, request_id)
        fields = [fault.field for fault in refusal.faults]
        logger.warning("request refused", extra={"kind": refusal.kind, "fields": fields})
        count(metrics, MetricName.API_REFUSED, 1)
        status, body, headers = problem.status, problem, {}
    except RetryableError:
        logger.exception("request not carried out")
        count(metrics, MetricName.REPLAY_API_ERRORS, 1)
        problem = PROBLEMS.of_unavailability(request_id)
        status, body, headers = problem.status, problem, {"retry-after": str(_RETRY_AFTER_S)}
    except MillraceError:  # a missing right or resource, or tables that disagree
        logger.exception("request cannot be carried out")
        count(metrics, MetricName.REPLAY_API_ERRORS, 1)
        problem = PROBLEMS.of_fault(request_id)
        status, body, headers = problem.status, problem, {}
    count(metrics, MetricName.API_REQUESTS, 1)
    count(metrics, MetricName.API_DURATION, (perf_counter() - started) * 1000)
    return response_of(status, body, headers)


def _answered(event: Event, desk: ReplayDesk, within_s: float) -> Answer:
    route = event["routeKey"]
    if route == "POST /replay":
        return _start(event, desk, within_s)
    if route not in _ROUTES:
        raise refused_field(RefusalKind.NOT_FOUND, "path", f"{route!r} is no route of this API")
    return _ROUTES[route](event, desk)


def _start(event: Event, desk: ReplayDesk, within_s: float) -> Answer:
    request = parse_replay(_body(event))
    replay, plan = desk.start(request, _caller(event), within_s)
    facts = {"replay_id": replay.replay_id, "plan_hash": plan.plan_hash, "events": plan.events}
    logger.info("replay started", extra=facts)
    location = f"/replay/{quote(replay.replay_id, safe='')}"
    started = Started(replay=ReplayAnswer.of(replay), plan=PlanSummary.of(plan))
    return HTTPStatus.ACCEPTED, started, {"location": location}


def _status(event: Event, desk: ReplayDesk) -> Answer:
    return HTTPStatus.OK, StatusAnswer.of_status(desk.status(_replay_id(event))), {}


def _list(event: Event, desk: ReplayDesk) -> Answer:
    query = event.get("queryStringParameters") or {}
    cursor = query.get("cursor")
    after = None if cursor is None else parse_cursor(cursor)
    page = desk.page(after, _page_size(query.get("limit")))
    listed = ReplayList(
        replays=tuple(map(ReplayAnswer.of, page.replays)),
        next_cursor=None if page.next_after is None else cursor_of(page.next_after),
    )
    return HTTPStatus.OK, listed, {}


def _move(action: Action) -> Callable[[Event, ReplayDesk], Answer]:
    def moved(event: Event, desk: ReplayDesk) -> Answer:
        reason = parse_move(_body(event)).reason
        replay = desk.move(_replay_id(event), action, _caller(event), reason)
        logger.info("replay moved", extra={"replay_id": replay.replay_id, "action": action})
        return HTTPStatus.OK, ReplayAnswer.of(replay), {}

    return moved


_ROUTES: Mapping[str, Callable[[Event, ReplayDesk], Answer]] = {
    "GET /replay/{id}": _status,
    "GET /replays": _list,
    "POST /replay/{id}/pause": _move(Action.PAUSE),
    "POST /replay/{id}/resume": _move(Action.RESUME),
    "POST /replay/{id}/cancel": _move(Action.CANCEL),
}


def _page_size(text: str | None) -> int:
    if text is None:
        return DEFAULT_PAGE
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= MAX_PAGE):
        raise refused_field(
            RefusalKind.UNREADABLE, "limit", f"{text!r} is not a number from 1 to {MAX_PAGE}"
        )
    return int(text)


def _replay_id(event: Event) -> str:
    return str(event["pathParameters"]["id"])


def _caller(event: Event) -> str:
    """Return the ARN of the caller, which IAM has proved.

    Raises:
        Refusal: the gateway named none; it always does on a route with IAM authorization.
    """
    who = caller_of(event)
    if not who:
        raise Refusal(RefusalKind.UNIDENTIFIED, "who asks is unknown; sign the request (SigV4)")
    return who


def _body(event: Event) -> bytes:
    try:
        return body_of(event)
    except UnreadableBody as err:
        raise Refusal(RefusalKind.UNREADABLE, f"the body cannot be read: {err}") from err
