"""Lambda's entry: an HTTP API request (payload format 2.0) in, its response out.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
Limits before us: 10 MB a request (API Gateway), and 6 MB an invocation (Lambda) of which base64
takes a quarter: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

import binascii
from base64 import b64decode
from collections import Counter
from collections.abc import Mapping
from functools import cache
from time import perf_counter
from typing import Any

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from ingest_api import problems
from ingest_api.answers import Accepted, Problem, QueuedEvent
from ingest_api.bootstrap import build_front_door
from ingest_api.domain.bodies import GZIP_NAMES
from ingest_api.domain.refusals import Refusal, RefusalKind
from ingest_api.service import FrontDoor, Outcome, Request
from ingest_api.settings import IngestApiSettings
from millrace.errors import ConfigError
from millrace.observability import MetricName, count, service_logger, service_metrics
from millrace.settings import load_settings
from millrace.times import from_epoch_ms

SERVICE = "ingest_api"
PROBLEM_JSON = "application/problem+json"
_RESERVE_S = 8  # the last PutRecords call, 7 s at most, and the answer
_RETRY_AFTER_S = 1  # a shard's limits are per second

logger = service_logger(SERVICE)
metrics = service_metrics(SERVICE)


@cache
def _front_door() -> FrontDoor:
    settings = load_settings(IngestApiSettings)
    logger.setLevel(settings.log_level)
    return build_front_door(settings)


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
@metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the response: 202, or problem details."""
    return handle(event, context, _front_door())


def handle(
    event: Mapping[str, Any], context: LambdaContext, front_door: FrontDoor
) -> dict[str, Any]:
    """Translate between API Gateway's shapes and the service."""
    started = perf_counter()
    request_id = event["requestContext"]["requestId"]
    within_s = max(0.0, context.get_remaining_time_in_millis() / 1000 - _RESERVE_S)
    try:
        outcome = front_door.accept(_request(event), within_s)
    except Refusal as refusal:
        answer: Accepted | Problem = problems.of_refusal(refusal, request_id)
        _report_refusal(refusal)
    except ConfigError:
        answer = problems.of_misconfiguration(request_id)
        logger.exception("events cannot be sent")
        count(metrics, MetricName.API_ERRORS, 1)
    else:
        answer = problems.of_partial(outcome, request_id) if outcome.failed else _accepted(outcome)
        _report(outcome)
    count(metrics, MetricName.API_REQUESTS, 1)
    count(metrics, MetricName.API_DURATION, (perf_counter() - started) * 1000)
    return _response(answer)


def _request(event: Mapping[str, Any]) -> Request:
    # API Gateway gives names in lower case, its samples do not.
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    encoding = headers.get("content-encoding", "").strip().lower()
    return Request(
        body=_body(event, encoding),
        content_encoding=encoding,
        idempotency_key=headers.get("idempotency-key"),
        arrival=from_epoch_ms(event["requestContext"]["timeEpoch"]),
    )


def _body(event: Mapping[str, Any], content_encoding: str) -> bytes:
    body = event.get("body") or ""
    try:
        if event.get("isBase64Encoded"):
            return b64decode(body, validate=True)
        if content_encoding in GZIP_NAMES:
            # The gateway decides by the content type alone, and bytes do not survive as text.
            raise Refusal(
                RefusalKind.UNREADABLE,
                "a gzip body arrived as text; send it with content-type application/octet-stream",
            )
        return str(body).encode()
    except (binascii.Error, UnicodeEncodeError) as err:
        raise Refusal(RefusalKind.UNREADABLE, f"the body cannot be read: {err}") from err


def _accepted(outcome: Outcome) -> Accepted:
    return Accepted(
        accepted=len(outcome.events),
        events=tuple(
            QueuedEvent(index=each.index, event_id=each.event_id) for each in outcome.events
        ),
    )


def _response(answer: Accepted | Problem) -> dict[str, Any]:
    headers = {"content-type": "application/json"}
    status = 202
    if isinstance(answer, Problem):
        headers["content-type"] = PROBLEM_JSON
        status = answer.status
    if status == 503:
        headers["retry-after"] = str(_RETRY_AFTER_S)
    return {
        "statusCode": status,
        "headers": headers,
        "body": answer.model_dump_json(),
        "isBase64Encoded": False,
    }


def _report(outcome: Outcome) -> None:
    failed = outcome.failed
    facts = {
        "events": len(outcome.events),
        "queued": len(outcome.events) - len(failed),
        "record_bytes": outcome.record_bytes,
        "retried": outcome.retried,
    }
    count(metrics, MetricName.API_QUEUED, facts["queued"])
    count(metrics, MetricName.API_NOT_QUEUED, len(failed))
    count(metrics, MetricName.API_RETRIED, outcome.retried)
    count(metrics, MetricName.API_ERRORS, int(bool(failed)))
    if failed:
        codes = Counter(each.error for each in failed)
        logger.error("events not queued", extra={**facts, "error_codes": codes})
    else:
        logger.info("events queued", extra=facts)


def _report_refusal(refusal: Refusal) -> None:
    """Count and log why; never a detail, which may quote the client's data."""
    count(metrics, MetricName.API_REFUSED, 1)
    reasons = Counter(fault.reason for fault in refusal.faults)
    logger.warning("request refused", extra={"kind": refusal.kind, "reasons": reasons})
