"""API Gateway's shapes, from AWS's own samples, and what clients are answered."""

import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from millrace.audit import Phase
from millrace.errors import ConfigError, RetryableError
from millrace_testing.builders import ARRIVAL
from millrace_testing.lambda_context import lambda_context
from operator_api.adapters import dead_letter_queues
from operator_api.handler import handle
from operator_api.requests import MAX_BODY_BYTES

CALLER = "arn:aws:iam::123456789012:user/ana"
DENIED = "UpdateItem: table-1 is not allowed"
REDRIVE = "POST /dlq/{queue}/redrive"
BODY = {"reason": "the right is back", "rate": 1000}
FIXTURES = Path(__file__).parents[4] / "shared/data/lambda-event-fixtures"
SIGNED, UNSIGNED = "powertools-python/apiGatewayProxyV2IamEvent.json", "aws-sam-cli/HttpApi.json"


@pytest.fixture
def dead(consumer):
    """Thirty dead letters that a missing right made; it is back."""
    for number in range(30):
        consumer.fail(f'{{"commit_id": "commit-{number}"}}', DENIED, age_s=number + 1)
    return consumer


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="../shared/data is not beside this checkout")
@pytest.mark.parametrize("name", [SIGNED, UNSIGNED])
def test_official_samples_are_read_and_who_signed_is_kept(name, desk, dead, audit):
    """Their own routes are none of ours; on ours only a signed one does anything."""
    official = json.loads((FIXTURES / name).read_text(encoding="utf-8-sig"))
    assert handle(official, lambda_context(), desk)["statusCode"] == 404
    body = b64encode(json.dumps(BODY).encode()).decode()
    ours = {"routeKey": REDRIVE, "body": body, "isBase64Encoded": True}
    ours |= {"pathParameters": {"queue": "aggregate"}}
    response = handle(official | ours, lambda_context(29_000), desk)
    assert response["statusCode"] == (200 if name == SIGNED else 403)
    arns = [each.operation.who for each in audit.kept]
    assert arns == (
        [official["requestContext"]["authorizer"]["iam"]["userArn"]] * 2 if name == SIGNED else []
    )


def test_queues_are_counted_without_a_look(send, dead, letters):
    """No message is received for it."""
    _, body = send("GET /dlq")
    assert body == {"queues": [{"queue": "aggregate", "messages": 30, "held": 0}]}
    assert {each.receives for each in letters.receive(10, 60)} == {6}


def test_a_look_groups_and_shows_and_takes_nothing(send, dead, letters):
    """The first of them with what they are about; all can be received afterwards."""
    letters.put("poison")
    response, body = send("GET /dlq/{queue}", query={"limit": "2", "error": "not allowed"})
    assert response["statusCode"] == 200
    assert (body["messages"], body["looked_at"], len(body["shown"])) == (31, 30, 2)
    assert [each["messages"] for each in body["groups"]] == [30]
    assert body["shown"][0]["commit_id"] == "commit-0"
    assert letters.free == 31


def test_a_redrive_says_what_it_did(send, dead, audit):
    """All of them, and who, why and how many is in the audit."""
    response, body = send(REDRIVE, BODY)
    assert (response["statusCode"], body["sent"], body["remaining"]) == (200, 30, 0)
    assert (body["call_again"], body["groups"][0]["verdict"]) == (False, "works")
    last = audit.kept[-1]
    assert (last.phase, last.operation.who, last.operation.reason, last.counts["sent"]) == (
        Phase.DONE, CALLER, "the right is back", 30,
    )  # fmt: skip


def test_a_redrive_sends_what_fits_and_says_call_again(send, dead):
    """Twenty-nine seconds, less the reserve and the canary's wait, at one message a second."""
    _, first = send(REDRIVE, BODY | {"rate": 1})
    assert first["call_again"]
    assert 0 < first["sent"] < 20
    assert first["remaining"] == 30 - first["sent"]
    sent = first["sent"]
    for _ in range(3):
        sent += send(REDRIVE, BODY | {"rate": 1})[1]["sent"]
    assert sent == 30


def test_a_dry_run_sends_and_keeps_nothing(send, dead, audit, letters):
    """It says how many it would be."""
    _, body = send(REDRIVE, BODY | {"dry_run": True, "older_than_s": 20})
    assert (body["dry_run"], body["sent"], body["remaining"]) == (True, 11, 30)
    assert (audit.kept, letters.sent, letters.free) == ([], [], 30)


@pytest.mark.parametrize(
    ("route", "body", "parts", "expected"),
    [
        (REDRIVE, {}, {}, (422, "reason")),
        (REDRIVE, BODY | {"rate": "10"}, {}, (422, "rate")),
        (REDRIVE, BODY | {"stage": "x"}, {}, (422, "stage")),
        (REDRIVE, BODY, {"queue": "nothing"}, (404, "queue")),
        (REDRIVE, "[]", {}, (400, None)),
        (REDRIVE, " " * (MAX_BODY_BYTES + 1), {}, (413, None)),
        ("GET /dlq/{queue}", None, {"query": {"limit": "1000"}}, (400, "limit")),
        ("GET /nothing", None, {}, (404, "path")),
    ],
)
def test_a_bad_request_names_its_field(send, route, body, parts, expected):
    """With the remedy, in problem details."""
    status, field = expected
    response, problem = send(route, body, **parts)
    assert (response["statusCode"], problem["status"]) == (status, status)
    assert response["headers"]["content-type"] == "application/problem+json"
    assert [each["field"] for each in problem["errors"]] == ([field] if field else [])


@pytest.mark.parametrize(
    ("error", "status"), [(RetryableError("throttled"), 503), (ConfigError("no right"), 500)]
)
def test_what_is_ours_is_told_from_what_passes(send, letters, error, status):
    """503 to send again, 500 for the operators."""

    def fails() -> None:
        raise error

    letters.depth = fails
    response, problem = send("GET /dlq")
    assert (response["statusCode"], "log says why" in problem["detail"]) == (status, True)
    assert ("retry-after" in response["headers"]) == (status == 503)


def test_queues_and_dead_letter_queues_belong_together():
    """A deployment that names one without the other is refused at its start."""
    with pytest.raises(ConfigError, match="DEAD_LETTER_URLS"):
        dead_letter_queues(None, {"enrich": "https://sqs/enrich"}, {})
    found = dead_letter_queues(None, {"enrich": "https://sqs/e"}, {"enrich": "https://sqs/e-dlq"})
    assert found["enrich"].queue == "e"


def test_importing_needs_no_environment():
    """The module can be imported with an empty environment and makes no client."""
    code = "import operator_api.handler, boto3; assert boto3.DEFAULT_SESSION is None"
    done = subprocess.run([sys.executable, "-c", code], env={}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_ages_are_told_in_seconds(send, dead):
    """Only those that were sent long enough ago."""
    _, body = send("GET /dlq/{queue}", query={"older_than_s": "25", "limit": "100"})
    assert [each["commit_id"] for each in body["shown"]] == [f"commit-{n}" for n in range(24, 30)]
    assert body["shown"][0]["sent_at"] < ARRIVAL.isoformat()
