"""The front of an HTTP API: a request is answered or refused in good form, logged and counted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from time import perf_counter
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from millrace.errors import MillraceError, RetryableError
from millrace.http_api import Event, UnreadableBody, body_of, caller_of, response_of
from millrace.observability import MetricName, count
from millrace.problems import Problems, Refusal, refused_field

_RETRY_AFTER_S = 1
Response = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HttpFront:
    """What one API does with a request, whatever becomes of it."""

    problems: Problems
    errors: MetricName
    """Counts requests that failed for a reason of ours."""
    reserve_s: float
    """How long before Lambda's timeout the work must end, so that the answer still goes out."""
    logger: Logger
    metrics: Metrics

    def respond(
        self, event: Event, context: LambdaContext, answer: Callable[[float], Response]
    ) -> Response:
        """Return what `answer` returns, or the problem details of the error that it raises.

        answer: is told how many seconds it has.
        """
        started = perf_counter()
        within_s = max(0.0, context.get_remaining_time_in_millis() / 1000 - self.reserve_s)
        try:
            response = answer(within_s)
        except MillraceError as err:
            response = self._problem(err, event["requestContext"]["requestId"])
        count(self.metrics, MetricName.API_REQUESTS, 1)
        count(self.metrics, MetricName.API_DURATION, (perf_counter() - started) * 1000)
        return response

    def _problem(self, err: MillraceError, request_id: str) -> Response:
        """Log and count an error; never a refusal's detail, which may quote the client's data."""
        headers: Mapping[str, str] = {}
        if isinstance(err, Refusal):
            fields = [fault.field for fault in err.faults]
            self.logger.warning("request refused", extra={"kind": err.kind, "fields": fields})
            count(self.metrics, MetricName.API_REFUSED, 1)
            problem = self.problems.of_refusal(err, request_id)
        elif isinstance(err, RetryableError):
            self.logger.error("request not carried out", exc_info=err)
            count(self.metrics, self.errors, 1)
            problem = self.problems.of_unavailability(request_id)
            headers = {"retry-after": str(_RETRY_AFTER_S)}
        else:  # a missing right or resource, or tables that disagree
            self.logger.error("request cannot be carried out", exc_info=err)
            count(self.metrics, self.errors, 1)
            problem = self.problems.of_fault(request_id)
        return response_of(problem.status, problem, headers)


def route_of(routes: Mapping[str, T], event: Event, unknown: StrEnum) -> T:
    """Return what serves the route of a request.

    Raises:
        Refusal: of the kind `unknown`: there is no such route.
    """
    key = event["routeKey"]
    if key not in routes:
        raise refused_field(unknown, "path", f"{key!r} is no route of this API")
    return routes[key]


def signer_of(event: Event, unidentified: StrEnum) -> str:
    """Return the ARN of the caller, which IAM has proved.

    Raises:
        Refusal: of the kind `unidentified`: the gateway named none; it always does on a route
            with IAM authorization.
    """
    who = caller_of(event)
    if who is None:
        raise Refusal(unidentified, "who asks is unknown; sign the request (SigV4)")
    return who


def readable_body_of(event: Event, unreadable: StrEnum) -> bytes:
    """Return the bytes of the body.

    Raises:
        Refusal: of the kind `unreadable`: they cannot be decoded.
    """
    try:
        return body_of(event)
    except UnreadableBody as err:
        raise Refusal(unreadable, f"the body cannot be read: {err}") from err
