"""API Gateway's shapes, from AWS's own samples, and what clients are answered."""

import gzip
import json
from pathlib import Path

import orjson
import pytest

from ingest_api.domain.events import Record
from ingest_api.handler import handle
from millrace.errors import ConfigError
from millrace.identity import keyed_event_id
from millrace_testing.builders import event_bytes, event_fields
from millrace_testing.lambda_context import lambda_context

FIXTURES = Path(__file__).parents[4] / "shared/data/lambda-event-fixtures"
OFFICIAL = [
    "powertools-python/apiGatewayProxyV2Event.json",
    "powertools-python/apiGatewayProxyV2Event_GET.json",
    "powertools-python/apiGatewayProxyV2IamEvent.json",
    "powertools-python/apiGatewayProxyV2LambdaAuthorizerEvent.json",
    "aws-lambda-go/apigw-v2-request-iam.json",
    "aws-lambda-go/apigw-v2-request-jwt-authorizer.json",
    "aws-lambda-go/apigw-v2-request-lambda-authorizer.json",
    "aws-lambda-go/apigw-v2-request-no-authorizer.json",
    "aws-sam-cli/HttpApi.json",
    "aws-lambda-dotnet/http-api-v2-request.json",
]
needs_fixtures = pytest.mark.skipif(
    not FIXTURES.is_dir(), reason="../shared/data is not beside this checkout"
)


def official(name: str) -> dict:
    return json.loads((FIXTURES / name).read_text(encoding="utf-8-sig"))


@needs_fixtures
@pytest.mark.parametrize("name", OFFICIAL)
def test_official_samples_are_read(name, front_door, stream):
    """AWS's sample requests (their bodies are no events of ours) are refused in good form."""
    event = official(name)
    is_object = event.get("body", "").startswith("{") and not event["isBase64Encoded"]
    response = handle(event, lambda_context(), front_door)
    assert response["statusCode"] == (422 if is_object else 400)
    assert response["headers"]["content-type"] == "application/problem+json"
    assert stream.records == []


@needs_fixtures
@pytest.mark.parametrize("name", OFFICIAL)
def test_an_event_in_an_official_sample_is_queued(name, front_door, stream):
    """The same samples, of 2019 and 2020, with a body of ours that happened before them."""
    data = event_bytes(1, event_time="2015-09-12T00:46:58.771Z")
    event = official(name) | {"body": data.decode(), "isBase64Encoded": False}
    assert handle(event, lambda_context(), front_door)["statusCode"] == 202
    assert [record.data for record in stream.records] == [data]


def test_a_single_event_is_queued(post, stream):
    """202 with the event's id; the record is the event's bytes under its entity."""
    response, body = post(event_bytes(3).decode())
    assert response["statusCode"] == 202
    assert response["headers"] == {"content-type": "application/json"}
    assert body == {
        "accepted": 1,
        "events": [{"index": 0, "event_id": "event-3", "status": "queued"}],
    }
    assert stream.records == [Record(event_bytes(3), "user_3")]


def test_an_array_is_queued_in_its_order(post, stream):
    """Bytes (base64 in the request) do as well as text."""
    array = b"[" + b", ".join(event_bytes(n) for n in range(500)) + b"]"
    _, body = post(array, Content_Type="application/octet-stream")
    assert body["accepted"] == 500
    assert [each["event_id"] for each in body["events"]] == [f"event-{n}" for n in range(500)]
    assert [record.data for record in stream.records] == [event_bytes(n) for n in range(500)]


def test_a_gzip_body_is_queued(post, stream):
    """Header names come in any case."""
    response, _ = post(gzip.compress(event_bytes(1)), Content_Encoding="GZIP")
    assert response["statusCode"] == 202
    assert stream.records[0].data == event_bytes(1)


def test_a_gzip_body_that_became_text_says_how_to_send_it(post):
    """With JSON's content type the gateway spoils the bytes; the answer names the remedy."""
    response, problem = post("\x1f\ufffd", content_encoding="gzip")
    assert response["statusCode"] == 400
    assert "application/octet-stream" in problem["detail"]


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        ("{}", [keyed_event_id("web", "k")]),
        ("[{},{}]", [keyed_event_id("web", f"k#{n}") for n in (0, 1)]),
    ],
)
def test_the_idempotency_key_is_the_identity(post, body, ids):
    """Of a single event the key itself, in an array the key, # and the index."""
    fields = event_fields(1)
    del fields["event_id"]
    text = body.replace("{}", orjson.dumps(fields).decode())
    first, again = (post(text, idempotency_key="k") for _ in range(2))
    assert [each["event_id"] for each in first[1]["events"]] == ids
    assert first == again


def test_one_invalid_event_stops_all(post, stream):
    """422 in the form of RFC 9457, each fault with its index and reason; nothing was sent."""
    response, problem = post(f"[{event_bytes(1).decode()}, {{}}]")
    assert response["statusCode"] == problem["status"] == 422
    assert response["headers"]["content-type"] == "application/problem+json"
    assert problem["type"] == "urn:millrace:problem:invalid-events"
    assert problem["title"]
    assert problem["detail"] == "1 of 2 events cannot be accepted, and none was sent"
    assert problem["instance"] == "/ingest#JKJaXmPLvHcESHA%3D"
    assert problem["errors"] == [
        {"index": 1, "reason": "missing_field", "detail": "event_type: Field required"}
    ]
    assert stream.records == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ("", {}, 400),
        ("[]", {}, 400),
        ("{oops", {}, 400),
        ("\ud800", {}, 400),
        (b"{}", {"content_encoding": "gzip"}, 400),
        ("{}", {"idempotency_key": ""}, 400),
        ("[" + "{}," * 500 + "{}]", {}, 413),
        (gzip.compress(b" " * 11 * 1024 * 1024), {"content_encoding": "gzip"}, 413),
        (event_bytes(payload={"x": "y" * 1024 * 1024}).decode(), {}, 413),
        (b"{}", {"content_encoding": "br"}, 415),
        ("{}", {"content_encoding": "br"}, 415),
    ],
)
def test_what_cannot_be_read_has_its_status(post, stream, body, headers, status):
    """400 unreadable, 413 too much, 415 another encoding: problem details each, nothing sent."""
    response, problem = post(body, **headers)
    assert response["statusCode"] == problem["status"] == status
    assert {"type", "title", "detail", "instance", "errors"} <= problem.keys()
    assert stream.budgets == []


def test_a_broken_base64_body_is_unreadable(front_door):
    """Whatever called us, it is told."""
    event = {
        "headers": {},
        "requestContext": {"requestId": "r", "timeEpoch": 0},
        "body": "%%%",
        "isBase64Encoded": True,
    }
    assert handle(event, lambda_context(), front_door)["statusCode"] == 400


def test_a_partial_failure_says_what_to_send_again(post, stream):
    """503: queued ids and failed indexes, so that the client can send exactly those."""
    stream.failing = {1: "ProvisionedThroughputExceededException"}
    response, problem = post(f"[{','.join(event_bytes(n).decode() for n in range(3))}]")
    assert response["statusCode"] == problem["status"] == 503
    assert response["headers"]["retry-after"] == "1"
    assert problem["accepted"] == 2
    assert [(each["index"], each["event_id"], each["status"]) for each in problem["events"]] == [
        (0, "event-0", "queued"),
        (1, "event-1", "failed"),
        (2, "event-2", "queued"),
    ]
    assert [(each["index"], each["reason"]) for each in problem["errors"]] == [
        (1, "ProvisionedThroughputExceededException")
    ]


def test_time_for_the_answer_is_kept(post, stream):
    """Of what is left of the invocation 8 s are not spent on trying."""
    post(event_bytes(1).decode(), remaining_ms=25_000)
    post(event_bytes(1).decode(), remaining_ms=3_000)
    assert stream.budgets == [17, 0]


def test_a_faulty_deployment_is_told_apart(post, stream, monkeypatch):
    """500 as a problem without the inner reason, which is in the log."""

    def forbidden(*_: object) -> None:
        raise ConfigError("PutRecords: AccessDeniedException for arn:secret")

    monkeypatch.setattr(stream, "put", forbidden)
    response, problem = post(event_bytes(1).decode())
    assert response["statusCode"] == problem["status"] == 500
    assert problem["type"] == "urn:millrace:problem:misconfigured"
    assert "secret" not in response["body"]


def test_logs_name_reasons_and_not_payloads(post, caplog):
    """A refusal is logged with its kind and reasons; what the client sent never is."""
    post(event_bytes(1, event_time="s3cr3t").decode())
    post(event_bytes(1, payload={"x": "s3cr3t"}).decode())
    refused = next(each for each in caplog.records if each.message == "request refused")
    assert refused.kind == "invalid-events"
    assert refused.reasons == {"time_not_rfc3339": 1}
    assert not any("s3cr3t" in str(vars(each)) for each in caplog.records)
