"""Lambda's entry: an HTTP API request (payload format 2.0) in, its response out.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace.http_api import Event, response_of
from millrace.http_front import HttpFront, readable_body_of, route_of, signer_of
from millrace.observability import MetricName, service_logger, service_metrics
from millrace.problems import refused_field
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

logger = service_logger(SERVICE)
metrics = service_metrics(SERVICE)
_FRONT = HttpFront(PROBLEMS, MetricName.REPLAY_API_ERRORS, _RESERVE_S, logger, metrics)

Answer = tuple[int, BaseModel, dict[str, str]]
Serve = Callable[[Event, ReplayDesk, float], Answer]


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

    def answer(within_s: float) -> dict[str, Any]:
        serve = route_of(_ROUTES, event, RefusalKind.NOT_FOUND)
        return response_of(*serve(event, desk, within_s))

    return _FRONT.respond(event, context, answer)


def _start(event: Event, desk: ReplayDesk, within_s: float) -> Answer:
    request = parse_replay(readable_body_of(event, RefusalKind.UNREADABLE))
    who = signer_of(event, RefusalKind.UNIDENTIFIED)
    replay, plan = desk.start(request, who, within_s)
    facts = {"replay_id": replay.replay_id, "plan_hash": plan.plan_hash, "events": plan.events}
    logger.info("replay started", extra=facts)
    location = f"/replay/{quote(replay.replay_id, safe='')}"
    started = Started(replay=ReplayAnswer.of(replay), plan=PlanSummary.of(plan))
    return HTTPStatus.ACCEPTED, started, {"location": location}


def _status(event: Event, desk: ReplayDesk, _within_s: float) -> Answer:
    return HTTPStatus.OK, StatusAnswer.of_status(desk.status(_replay_id(event))), {}


def _list(event: Event, desk: ReplayDesk, _within_s: float) -> Answer:
    query = event.get("queryStringParameters") or {}
    cursor = query.get("cursor")
    after = None if cursor is None else parse_cursor(cursor)
    page = desk.page(after, _page_size(query.get("limit")))
    listed = ReplayList(
        replays=tuple(map(ReplayAnswer.of, page.replays)),
        next_cursor=None if page.next_after is None else cursor_of(page.next_after),
    )
    return HTTPStatus.OK, listed, {}


def _move(action: Action) -> Serve:
    def moved(event: Event, desk: ReplayDesk, _within_s: float) -> Answer:
        reason = parse_move(readable_body_of(event, RefusalKind.UNREADABLE)).reason
        who = signer_of(event, RefusalKind.UNIDENTIFIED)
        replay = desk.move(_replay_id(event), action, who, reason)
        logger.info("replay moved", extra={"replay_id": replay.replay_id, "action": action})
        return HTTPStatus.OK, ReplayAnswer.of(replay), {}

    return moved


_ROUTES: Mapping[str, Serve] = {
    "POST /replay": _start,
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
