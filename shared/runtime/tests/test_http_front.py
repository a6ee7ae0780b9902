"""The front of an HTTP API: what a client and the operators learn of each outcome."""

import json
from enum import StrEnum

import pytest

from millrace.errors import ConfigError, MillraceError, RetryableError
from millrace.http_api import response_of_text
from millrace.http_front import HttpFront, readable_body_of, route_of, signer_of
from millrace.observability import MetricName, service_logger, service_metrics
from millrace.problems import Problems, refused_field
from millrace_testing.lambda_context import lambda_context

REQUEST = {"routeKey": "GET /things", "requestContext": {"requestId": "r-1"}}


class Kind(StrEnum):
    ODD = "odd"


FRONT = HttpFront(
    Problems("/things", {Kind.ODD: (422, "That is odd")}, "GET /things"),
    MetricName.REPLAY_API_ERRORS,
    reserve_s=2,
    logger=service_logger("http_front"),
    metrics=service_metrics("http_front"),
)


def counted() -> dict[str, float]:
    """Return what was counted since the last time."""
    found = FRONT.metrics.serialize_metric_set()
    FRONT.metrics.clear_metrics()
    names = [each["Name"] for each in found["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    return {name: sum(found[name]) for name in names if name != MetricName.API_DURATION}


@pytest.mark.parametrize(("remaining_ms", "within_s"), [(10_000, 8), (1_500, 0)])
def test_the_work_ends_before_lambda_does(remaining_ms, within_s):
    """The answer is told how long it may take, which leaves time to send it."""
    told: list[float] = []

    def answer(seconds: float) -> dict:
        told.append(seconds)
        return response_of_text(200, "{}", {})

    response = FRONT.respond(REQUEST, lambda_context(remaining_ms), answer)
    assert (response["statusCode"], told) == (200, [within_s])
    assert counted() == {MetricName.API_REQUESTS: 1}


@pytest.mark.parametrize(
    ("err", "status", "retry_after", "also"),
    [
        (refused_field(Kind.ODD, "size", "is odd"), 422, None, MetricName.API_REFUSED),
        (RetryableError("busy"), 503, "1", MetricName.REPLAY_API_ERRORS),
        (ConfigError("no right"), 500, None, MetricName.REPLAY_API_ERRORS),
        (MillraceError("tables disagree"), 500, None, MetricName.REPLAY_API_ERRORS),
    ],
)
def test_an_error_becomes_a_problem(err, status, retry_after, also):
    """A client learns whose fault it is and whether to try again; it is counted as just that."""

    def answer(_: float) -> dict:
        raise err

    response = FRONT.respond(REQUEST, lambda_context(), answer)
    assert response["statusCode"] == status
    assert response["headers"]["content-type"] == "application/problem+json"
    assert response["headers"].get("retry-after") == retry_after
    assert json.loads(response["body"])["instance"] == "/things#r-1"
    assert counted() == {MetricName.API_REQUESTS: 1, also: 1}


def test_an_unexpected_error_is_not_hidden():
    """A bug is Lambda's to report: it is no answer."""

    def answer(_: float) -> dict:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        FRONT.respond(REQUEST, lambda_context(), answer)


def test_what_a_request_lacks_is_refused():
    """A route that is not served, a caller that nobody proved, a body that is not base64."""
    bad = {"body": "%", "isBase64Encoded": True}
    for read in (
        lambda: route_of({"GET /others": 1}, REQUEST, Kind.ODD),
        lambda: signer_of(REQUEST, Kind.ODD),
        lambda: readable_body_of(bad, Kind.ODD),
    ):
        with pytest.raises(MillraceError, match="odd"):
            read()
